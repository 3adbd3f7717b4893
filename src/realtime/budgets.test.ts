import { manualClock } from '../core/clock';
import { createBudgets } from './budgets';

const budget = { max: 3, perSeconds: 10 };

describe('event budgets', () => {
  test('one more than the budget in a window is refused, with the time to wait', () => {
    const clock = manualClock();
    const budgets = createBudgets(clock);
    for (let i = 0; i < 3; i++) budgets.spend('a', 'chat', budget);
    clock.advance(4_000);
    expect(() => budgets.spend('a', 'chat', budget)).toThrow(
      expect.objectContaining({ code: 'RATE_LIMITED', retryAfter: 6 }),
    );
  });

  test('the next window begins with a full budget, also after a sweep', () => {
    const clock = manualClock();
    const budgets = createBudgets(clock);
    for (let i = 0; i < 3; i++) budgets.spend('a', 'chat', budget);
    budgets.sweep();
    expect(() => budgets.spend('a', 'chat', budget)).toThrow();
    clock.advance(10_000);
    budgets.sweep();
    expect(() => budgets.spend('a', 'chat', budget)).not.toThrow();
  });

  test('players and events do not draw on each other', () => {
    const budgets = createBudgets(manualClock());
    for (let i = 0; i < 3; i++) budgets.spend('a', 'chat', budget);
    expect(() => budgets.spend('b', 'chat', budget)).not.toThrow();
    expect(() => budgets.spend('a', 'typing', budget)).not.toThrow();
  });
});
