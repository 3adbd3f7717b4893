import { UsageError } from '../demo/options';
import type { Arrival, Source } from './arrivals';
import { createPopulation } from './population';
import { profileSchema } from './profile';
import { smallPopulation } from './testing/duels';

const first = (source: Source, n: number): Arrival[] => {
  const taken: Arrival[] = [];
  for (const arrival of source.arrivals()) if (taken.push(arrival) === n) break;
  return taken;
};
const of = (profile: object, roles: Record<string, number> | null = null, count = 2000) =>
  createPopulation({ profile: profileSchema.parse(profile), count, hours: 24, players: 1000, seed: 7, roles });

describe('a population', () => {
  it('comes in order of time, as many as asked for in the hours asked for, and goes on afterwards', () => {
    const source = smallPopulation(3);
    const times = first(source, 320).map(({ ticket }) => ticket.waitingSince);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.filter((at) => at < source.endMs)).toHaveLength(300);
    expect(source.endMs - source.startMs).toBe(2 * 3_600_000);
  });

  it('comes again the same for the same seed', () => {
    expect(first(smallPopulation(3), 300)).toEqual(first(smallPopulation(3), 300));
    expect(first(smallPopulation(3), 300)).not.toEqual(first(smallPopulation(4), 300));
  });

  it('never has anybody queue again within half an hour', () => {
    const last = new Map<string, number>();
    for (const { ticket, patienceMs } of first(smallPopulation(5, 2000), 2000)) {
      expect(patienceMs).toBeLessThan(30 * 60_000);
      expect(new Set(ticket.players.map((p) => p.userId)).size).toBe(ticket.players.length);
      for (const { userId } of ticket.players) {
        expect(ticket.waitingSince - (last.get(userId) ?? -Infinity)).toBeGreaterThanOrEqual(30 * 60_000);
        last.set(userId, ticket.waitingSince);
      }
    }
  });

  it('follows its profile: skill, party sizes, regions, the hours of each region', () => {
    const hours = Array.from({ length: 24 }, (_, hour) => (hour === 20 ? 1 : 0));
    const regions = {
      EU: { weight: 3, utcOffset: 1, languages: { de: 1 } },
      AS: { weight: 1, utcOffset: 8, languages: { ja: 1 } },
    };
    const came = first(of({ hours, regions, parties: [1, 1], skill: { mean: 30, deviation: 2 } }), 2000);
    const home = (region: string) => came.filter(({ ticket }) => ticket.regions[0] === region);
    expect(home('EU').length / 2000).toBeCloseTo(0.75, 1);
    expect(home('EU').every(({ ticket }) => ticket.languages[0] === 'de')).toBe(true);
    for (const { ticket } of home('AS')) expect([11, 12]).toContain(new Date(ticket.waitingSince).getUTCHours());
    expect(came.filter(({ ticket }) => ticket.players.length === 2).length / 2000).toBeCloseTo(0.5, 1);
    const skills = came.flatMap((arrival) => arrival.skills);
    expect(skills.reduce((sum, skill) => sum + skill, 0) / skills.length).toBeCloseTo(30, 0);
  });

  it('offers the roles that the rules need, as popular as the profile says', () => {
    const roles = (profile: object, needed: Record<string, number> | null) =>
      new Set(first(of(profile, needed, 200), 200).flatMap(({ ticket }) => ticket.players.flatMap((p) => p.roles)));
    expect(roles({}, null).size).toBe(0);
    expect(roles({}, { tank: 1, healer: 1 })).toEqual(new Set(['tank', 'healer']));
    expect(roles({ roles: { healer: 1 } }, { tank: 1, healer: 1 })).toEqual(new Set(['healer']));
  });

  it('is refused where nobody would come', () => {
    const regions = { EU: { weight: 1, utcOffset: 0, languages: { en: 1 } } };
    const hours = Array.from({ length: 24 }, (_, hour) => (hour === 20 ? 1 : 0));
    const profile = profileSchema.parse({ hours, regions });
    const create = () => createPopulation({ profile, count: 9, hours: 2, players: 9, seed: 1, roles: null });
    expect(create).toThrow(UsageError);
    expect(create).toThrow('nobody comes in the first 2 h');
  });
});
