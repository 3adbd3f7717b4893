import { Engine } from './engine';
import { NOW, rules, ticket } from './testing/tickets';

/** Pools that another instance searches: they are kept up to date here, for explanations and for taking them over. */

const duel = rules({ teams: { count: 2, size: { min: 1, max: 1 } } });

const elsewhere = new Set<string>();
const matchesOf = (engine: Engine, only?: ReadonlySet<string>) => [...engine.pass(NOW, only)].filter(Boolean);

test('tickets of a pool that is searched elsewhere meet nobody here, and can be explained', () => {
  const engine = new Engine(1);
  engine.setPool('pool', duel);
  engine.add('pool', ticket('a'));
  engine.add('pool', ticket('b'));
  expect(matchesOf(engine, elsewhere)).toEqual([]);
  expect(engine.explain('pool', 'a', NOW)).toMatchObject({ candidates: 1, compatible: 1 });
});

test('whoever came while a pool was searched elsewhere is found once it is searched here', () => {
  const engine = new Engine(1);
  engine.setPool('pool', duel);
  for (let round = 0; round < 500; round++) {
    engine.add('pool', ticket(`gone-${round}`));
    matchesOf(engine, elsewhere);
    engine.remove(`gone-${round}`);
  }
  engine.add('pool', ticket('a'));
  matchesOf(engine, elsewhere);
  engine.add('pool', ticket('b'));
  matchesOf(engine, elsewhere);
  expect(matchesOf(engine)).toMatchObject([{ ticketIds: ['a', 'b'] }]);
});
