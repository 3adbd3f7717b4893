import type { Tampering } from './gate';
import type { Wiring } from './instance';
import { simulate, Violation } from './simulation';
import { prepareGround } from './support';

/** The simulation is worth something only if it can fail: within half of its seeds it finds each of these. */
const SEEDS = 1_000;

const ground = prepareGround();

/** What the module must not do, done from outside, as if its code did: the simulation has to see it. */
const BUGS: { bug: string; seen: RegExp; tampering?: Tampering; rewire?: (wiring: Wiring) => Wiring }[] = [
  {
    bug: 'the fence is left out of the commit',
    seen: /^fence:/,
    rewire: ({ leases, outbox }) => ({ outbox, leases: { ...leases, fence: async () => undefined } }),
  },
  {
    bug: 'nobody looks at the count of the conditional update',
    // a cancelled ticket that is matched, one whose owner has other wishes by now, or two that are taken for matched and wait
    seen: /^I[246]:/,
    tampering: { reply: (what, reply, command) => (what === 'update tickets' ? allMatched(reply, command) : reply) },
  },
  {
    bug: 'a match does not write its fact',
    seen: /^I5:/,
    rewire: ({ leases, outbox }) => ({ leases, outbox: { ...outbox, appendAll: async () => undefined } }),
  },
];

/** The reply of a database that did all it was asked to. The driver reads replies and writes lists in classes of its own. */
function allMatched(reply: unknown, command: Record<string, unknown>): unknown {
  const raw = reply as { toObject(options: object): object };
  const { documents } = command['updates'] as { documents: unknown[] };
  const toObject = raw.toObject.bind(raw);
  return Object.assign(raw, { toObject: (options: object) => ({ ...toObject(options), n: documents.length }) });
}

test.each(BUGS)(
  'it would be found if $bug',
  async ({ seen, rewire, ...planted }) => {
    ground.tampering = planted.tampering ?? {};
    const find = async () => {
      for (let seed = 1; seed <= SEEDS; seed++) await simulate(seed, { ...ground, ...(rewire && { rewire }) });
    };
    const found = await find().then(
      () => null,
      (error: unknown) => error as Violation,
    );
    expect(found).toBeInstanceOf(Violation);
    process.stdout.write(`  seed ${found?.seed}: ${found?.cause.message}\n`);
    expect(found?.cause.message).toMatch(seen);
  },
  600_000,
);
