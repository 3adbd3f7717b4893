import type { RuleSet } from '../../../games';
import { Engine, type Ticket } from '../../engine';
import { mulberry32 } from '../../engine/testing/drawn-pools';
import { NOW, rules, ticket } from '../../engine/testing/tickets';
import { readOperations, type Operation } from '../operations';
import { recordedEngine, type SearchEngine } from '../recorder';

/** A server's day in short, drawn by a seed: what its engine is told between passes and in the middle of them. */

export const DUEL = rules({
  teams: { count: 2, size: { min: 1, max: 1 } },
  skill: { maxSpread: { value: 2, steps: [{ afterSeconds: 60, value: 8 }] } },
});
export const TRIO = rules({ teams: { count: 1, size: { min: 2, max: 3 } }, choices: { secondsPerPoint: 3 } });
const POOLS: [string, RuleSet][] = [
  ['game:duel', DUEL],
  ['game:trio', TRIO],
];
const SEED = 7;

/** @returns the lines of its recording */
export function recordSession(seed: number, passes = 40): string[] {
  const lines: string[] = [];
  const sink = { write: (operation: Operation) => void lines.push(JSON.stringify(operation)) };
  live(recordedEngine(new Engine(SEED), sink, { seed: SEED, at: NOW }), mulberry32(seed), passes);
  return lines;
}

function live(engine: SearchEngine, random: () => number, passes: number): void {
  const below = (n: number) => Math.floor(random() * n);
  const all = new Map<string, Map<string, Ticket>>();
  const waiting = new Set<string>();
  let now = NOW;
  const come = (id: string) => {
    engine.remove(id);
    for (const [key, row] of all.get(id) ?? []) engine.add(key, row);
    waiting.add(id);
  };
  const arrive = () => {
    const id = `t${all.size}`;
    const weights = [1 + below(10), 1 + below(10)];
    const stands = random() < 0.3 ? POOLS : [POOLS[below(2)]!];
    const made = ticket(id, {
      mu: 15 + 20 * random(),
      party: stands.length === 1 && stands[0]![0] === 'game:trio' && random() < 0.3 ? 2 : 1,
      regions: random() < 0.5 ? [(['EU', 'NA'] as const)[below(2)]!] : [],
      languages: random() < 0.3 ? ['de'] : [],
      languagePreference: random() < 0.2 ? 'strict' : 'any',
      blocked: new Set(random() < 0.1 ? [`t${below(all.size + 1)}`] : []),
      avoided: new Set(random() < 0.1 ? [`t${below(all.size + 1)}`] : []),
      waitingSince: now,
    });
    const favourite = Math.max(...stands.map((_, i) => weights[i]!));
    all.set(id, new Map(stands.map(([key], i) => [key, { ...made, weight: weights[i]!, favourite }])));
    come(id);
  };
  const leave = () => {
    const id = [...waiting][below(waiting.size)];
    if (id === undefined) return;
    engine.remove(id);
    waiting.delete(id);
  };
  for (const [key, ruleSet] of POOLS) engine.setPool(key, ruleSet);
  for (let pass = 0; pass < passes; pass++) {
    for (let i = below(14); i > 0; i--) arrive();
    if (random() < 0.5) leave();
    const found: string[][] = [];
    const searched = POOLS.map(([key]) => key).filter(() => random() < 0.9);
    for (const proposal of engine.pass(now, random() < 0.9 ? new Set(searched) : undefined)) {
      if (proposal) found.push(proposal.ticketIds);
      for (const id of proposal?.ticketIds ?? []) waiting.delete(id);
      // other requests are answered while a pass pauses
      if (random() < 0.1) arrive();
      if (random() < 0.1) leave();
    }
    for (const ids of found) {
      const fellThrough = random() < 0.15;
      for (const id of ids) if (fellThrough && random() < 0.8) come(id);
      // who did not come back, or had nothing to come back from, is gone
      for (const id of ids) if (!waiting.has(id)) engine.remove(id);
    }
    if (pass === passes >> 1) remake(engine, [...waiting], come);
    now += 1000 * (1 + below(20));
  }
}

/** As when an admin changes a mode. */
function remake(engine: SearchEngine, waiting: readonly string[], come: (id: string) => void): void {
  engine.setPool('game:duel', { ...DUEL, regions: { ...DUEL.regions, relaxAfterSeconds: 10 } });
  for (const id of waiting) come(id);
}

export const read = (lines: readonly string[]) => readOperations(lines);
