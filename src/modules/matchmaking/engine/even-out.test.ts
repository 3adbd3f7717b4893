import { propose } from './propose';
import { NOW, rules, ticket } from './testing/tickets';
import type { PoolProposal, Ticket } from './ticket';

/** Five against five with roles, and nothing that limits ratings: teams are even because the engine makes them so. */
const ruleSet = rules({ teams: { count: 2, size: { min: 5, max: 5 } }, roles: { tank: 1, healer: 1, dps: 3 } });
const SEATS = { tank: 1, healer: 1, dps: 3 };

/** Park and Miller's: enough to draw tickets with. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function poolOf(count: number, seed: number): Ticket[] {
  const random = seeded(seed);
  const normal = () => 25 + 6 * (random() + random() + random() + random() - 2) * Math.sqrt(3);
  return Array.from({ length: count }, (_, i) => {
    const party = random() < 0.7 ? 1 : 2;
    const role = () => (random() < 0.15 ? 'tank' : random() < 0.18 ? 'healer' : 'dps');
    const players = Array.from({ length: party }, (_, p) => ({
      userId: `${i}.${p}`,
      mu: normal(),
      sigma: 2,
      roles: [role()],
    }));
    return ticket(String(i), { players, waited: Math.floor(random() * 4) });
  });
}

const proposalsOf = (tickets: readonly Ticket[]) => propose([{ key: 'pool', ruleSet, tickets }], NOW, 1);

/** The smallest gap between team means over all ways to split these parties whose roles fit, tried one by one. */
function smallestGap(tickets: readonly Ticket[]): number {
  let best = Infinity;
  for (let mask = 0; mask < 1 << tickets.length; mask++) {
    const halves = [0, 1].map((side) =>
      tickets.filter((_, i) => ((mask >> i) & 1) === side).flatMap(({ players }) => players),
    );
    const fit = halves.every((half) =>
      Object.entries(SEATS).every(([role, seats]) => half.filter(({ roles }) => roles[0] === role).length === seats),
    );
    if (!fit) continue;
    const [a = 0, b = 0] = halves.map((half) => half.reduce((sum, { mu }) => sum + mu, 0) / 5);
    best = Math.min(best, Math.abs(a - b));
  }
  return best;
}

function gapOf({ teams }: PoolProposal, tickets: readonly Ticket[]): number {
  const mu = new Map(tickets.flatMap(({ players }) => players.map((player) => [player.userId, player.mu] as const)));
  const [a = 0, b = 0] = teams.map((team) => team.reduce((sum, { userId }) => sum + (mu.get(userId) ?? NaN), 0) / 5);
  return Math.abs(a - b);
}

describe('teams with roles, where no rule limits the gap between them', () => {
  const pools = [1, 2, 3, 4, 5, 6].map((seed) => poolOf(300, seed));
  const made = pools.map((tickets) => ({ tickets, proposals: proposalsOf(tickets) }));

  it('are the most even that the players of a match can be split into', () => {
    for (const { tickets, proposals } of made.slice(0, 2)) {
      const byId = new Map(tickets.map((each) => [each.id, each]));
      for (const proposal of proposals) {
        const members = proposal.ticketIds.map((id) => byId.get(id)!);
        expect(gapOf(proposal, tickets)).toBeCloseTo(smallestGap(members), 9);
      }
    }
  });

  it('are hardly ever lopsided, for others are taken in place of those who make them so', () => {
    const favourites = made
      .flatMap(({ proposals }) => proposals.map(({ chances }) => Math.max(...(chances ?? []))))
      .sort((a, b) => a - b);
    expect(favourites.length).toBeGreaterThan(100);
    expect(favourites[Math.floor(favourites.length * 0.5)]).toBeLessThan(0.55);
    expect(favourites[Math.floor(favourites.length * 0.9)]).toBeLessThan(0.6);
    expect(favourites.at(-1)).toBeLessThan(0.8);
  });
});
