import { ClusterClock } from './cluster-time';

it('never stands still or goes back, and belongs to one server: where a clock of the machine was wrong, another server is right', () => {
  jest.useFakeTimers({ now: 3_600_000 });
  const one = new ClusterClock();
  const ahead = one.tick();
  jest.setSystemTime(5_000);
  const after = one.tick();
  expect(after.greaterThan(ahead)).toBe(true);
  expect(new ClusterClock().tick()).toMatchObject({ high: 5, low: 1 });
  jest.useRealTimers();
});
