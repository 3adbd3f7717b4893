import { createPresence } from './presence';

describe('presence', () => {
  test('is told when the first socket comes and when the last one goes', () => {
    const told: string[] = [];
    const presence = createPresence((userId, status) => told.push(`${userId} ${status}`));
    presence.arrived('a');
    presence.arrived('a');
    presence.left('a');
    expect(presence.status('a')).toBe('online');
    presence.left('a');
    expect(presence.status('a')).toBe('offline');
    expect(told).toEqual(['a online', 'a offline']);
  });
});
