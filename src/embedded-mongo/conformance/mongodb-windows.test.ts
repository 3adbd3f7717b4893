/** `$setWindowFields`, `$densify` and `$fill`: what is computed from the documents around, and which are put between. */
import { Decimal128, Double, Int32, Long } from 'mongodb';
import { useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase();
const raw = { promoteValues: false, promoteLongs: false };
const day = (n: number): Date => new Date(Date.UTC(2024, 0, n));

async function run(docs: AnyDoc[], stages: AnyDoc[], options: AnyDoc = {}): Promise<AnyDoc[]> {
  const collection = await database.collection(docs);
  return collection.aggregate(stages, options).toArray();
}

/** The field `r` of all documents in the order of their `_id`s, by a window function. */
async function column(docs: AnyDoc[], r: AnyDoc, rest: AnyDoc = { sortBy: { _id: 1 } }, options = {}): Promise<AnyDoc> {
  const found = await run(docs, [{ $setWindowFields: { ...rest, output: { r } } }, { $sort: { _id: 1 } }], options);
  return found.map((doc) => doc.r);
}

const numbered = (values: AnyDoc[]): AnyDoc[] => values.map((x, i) => ({ _id: i + 1, x }));
const documents = (low: AnyDoc, high: AnyDoc) => ({ window: { documents: [low, high] } });

describe('$setWindowFields', () => {
  it('gives the documents partition by partition, sorted in each, with what they had and the new fields behind', async () => {
    const docs = [{ _id: 1, p: 'b', x: 2 }, { _id: 2, p: 'a', x: 1 }, { _id: 3, p: 'b', x: 1 }, { _id: 4, x: 5 }]; // prettier-ignore
    const stage = { partitionBy: '$p', sortBy: { x: 1 }, output: { 'of.sum': { $sum: '$x' }, n: { $documentNumber: {} } } }; // prettier-ignore
    expect(await run(docs, [{ $setWindowFields: stage }])).toEqual([
      { _id: 4, x: 5, of: { sum: 5 }, n: 1 },
      { _id: 2, p: 'a', x: 1, of: { sum: 1 }, n: 1 },
      { _id: 3, p: 'b', x: 1, of: { sum: 3 }, n: 1 },
      { _id: 1, p: 'b', x: 2, of: { sum: 3 }, n: 2 },
    ]);
  });

  it('takes null and missing for one partition, and no arrays', async () => {
    const docs = [{ _id: 1, p: null }, { _id: 2 }, { _id: 3, p: 1 }];
    expect(await column(docs, { $count: {} }, { partitionBy: '$p' })).toEqual([2, 2, 1]);
    await expect(column([{ _id: 1, p: [1] }], { $count: {} }, { partitionBy: '$p' })).rejects.toMatchObject({ code: 14 }); // prettier-ignore
  });

  it.each([
    ['all by default', {}, [10, 10, 10, 10]],
    ['up to the current one', documents('unbounded', 'current'), [1, 3, 6, 10]],
    ['from the current one', documents('current', 'unbounded'), [10, 9, 7, 4]],
    ['the neighbours', documents(-1, 1), [3, 6, 9, 7]],
    ['those before', documents(-2, -1), [0, 1, 3, 5]],
    ['none that far away', documents(7, 9), [0, 0, 0, 0]],
  ])('a window of documents: %s', async (_what, window, sums) => {
    expect(await column(numbered([1, 2, 3, 4]), { $sum: '$x', ...window })).toEqual(sums);
  });

  it('a window of a range counts by the values that are sorted by', async () => {
    const docs = numbered([1, 2, 2, 5, 9.5]);
    const by = { sortBy: { x: 1 } };
    const range = (low: AnyDoc, high: AnyDoc) => ({ $push: '$_id', window: { range: [low, high] } });
    expect(await column(docs, range(-1, 0), by)).toEqual([[1], [1, 2, 3], [1, 2, 3], [4], [5]]);
    expect(await column(docs, range(1, 'unbounded'), by)).toEqual([[2, 3, 4, 5], [4, 5], [4, 5], [5], []]);
    expect(await column(docs, range('unbounded', -3), by)).toEqual([[], [], [], [1, 2, 3], [1, 2, 3, 4]]);
    expect(await column(docs, range(0.5, 4.5), by)).toEqual([[2, 3, 4], [4], [4], [5], []]);
  });

  it('a range of dates has a unit, and months are those of the calendar', async () => {
    const docs = [31, 60, 61, 90].map((n, i) => ({ _id: i, at: day(n) }));
    const window = { range: [-1, 0], unit: 'month' };
    expect(await column(docs, { $push: '$_id', window }, { sortBy: { at: 1 } })).toEqual([[0], [0, 1], [1, 2], [1, 2, 3]]); // prettier-ignore
  });

  it.each([
    ['$sum', 'int, long, double and decimal', [new Int32(1), Long.fromNumber(2), new Double(0.5), Decimal128.fromString('1.0')], [new Int32(1), Long.fromNumber(3), new Double(3.5), Decimal128.fromString('4.5')]], // prettier-ignore
    ['$avg', 'doubles of ints', [new Int32(1), new Int32(2)], [new Double(1), new Double(1.5)]],
    ['$max', 'as it was', [new Int32(1), Long.fromNumber(2)], [new Int32(1), Long.fromNumber(2)]],
    ['$stdDevPop', 'doubles', [new Int32(1), new Int32(3)], [new Double(0), new Double(1)]],
    ['$stdDevSamp', 'null of one', [new Int32(1)], [null]],
  ])('%s keeps the types of numbers: %s', async (name, _what, values, expected) => {
    expect(await column(numbered(values), { [name]: '$x', ...documents('unbounded', 'current') }, undefined, raw)).toEqual(expected); // prettier-ignore
  });

  it.each([
    [{ $min: '$x', ...documents(-1, 0) }, [3, 1, 1]],
    [{ $addToSet: '$x', ...documents(0, 0) }, [[3], [1], [2]]],
    [{ $first: '$x', ...documents(1, 2) }, [1, 2, null]],
    [{ $last: '$x', ...documents('unbounded', -1) }, [null, 3, 1]],
    [{ $firstN: { input: '$x', n: 2 }, ...documents('current', 'unbounded') }, [[3, 1], [1, 2], [2]]],
    [{ $maxN: { input: '$x', n: 2 } }, [[3, 2], [3, 2], [3, 2]]], // prettier-ignore
    [{ $top: { output: '$_id', sortBy: { x: 1 } }, ...documents(-1, 0) }, [1, 2, 2]],
    [{ $bottomN: { output: '$_id', sortBy: { x: 1 }, n: 2 } }, [[3, 1], [3, 1], [3, 1]]], // prettier-ignore
    [{ $shift: { output: '$x', by: -1 } }, [null, 3, 1]],
    [{ $shift: { output: '$x', by: 1, default: 'none' } }, [1, 2, 'none']],
  ])('%j', async (spec, expected) => {
    expect(await column(numbered([3, 1, 2]), spec)).toEqual(expected);
  });

  it('ranks: with gaps, without, and none that are equal', async () => {
    const docs = numbered([5, null, 5, 1, undefined]).map(({ _id, x }) => (x === undefined ? { _id } : { _id, x }));
    const by = { sortBy: { x: -1 } };
    expect(await column(docs, { $rank: {} }, by)).toEqual([1, 4, 1, 3, 4]);
    expect(await column(docs, { $denseRank: {} }, by)).toEqual([1, 3, 1, 2, 3]);
    expect([...(await column(docs, { $documentNumber: {} }, by))].sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('ranks as it sorts: of an array, one element counts', async () => {
    const docs = numbered([[7, 1], 1, [1, 5], [null, 'a'], null]);
    expect(await column(docs, { $rank: {} }, { sortBy: { x: 1 } })).toEqual([3, 3, 3, 1, 1]);
    expect(await column(docs, { $denseRank: {} }, { sortBy: { x: -1 } })).toEqual([2, 4, 3, 1, 5]);
  });

  it.each([
    [{ $min: '$x' }],
    [{ $max: '$x' }],
    [{ $sum: '$x' }],
    [{ $push: '$x' }],
    [{ $median: { input: '$x', method: 'approximate' } }],
    [{ $percentile: { input: '$x', p: [0, 0.3, 1], method: 'approximate' } }],
    [{ $minN: { input: '$x', n: 2 } }],
    [{ $maxN: { input: '$x', n: 3 } }],
    [{ $topN: { sortBy: { x: 1 }, output: ['$x', '$_id'], n: 3 } }],
    [{ $bottom: { sortBy: { x: 1 }, output: '$_id' } }],
  ])('a window that moves over %j gives what a group of its documents gives', async (operator) => {
    // prettier-ignore
    const docs = numbered([4, 2, null, 2, new Double(2), 9, NaN, 'a', 1, 2, 2, 7, new Long(4), 3, undefined, 0, 12, 5, 5]);
    const collection = await database.collection(docs);
    const groupOf = async (from: number, to: number): Promise<AnyDoc> => {
      const stages = [{ $match: { _id: { $gte: from, $lte: to } } }, { $sort: { _id: 1 } }, { $group: { _id: null, r: operator } }]; // prettier-ignore
      return (await collection.aggregate(stages, raw).next())!.r;
    };
    for (const [low, high] of [
      [-3, 1],
      [-12, 0],
      [0, 9],
    ] as const) {
      // prettier-ignore
      const found = await column(docs, { ...operator, ...documents(low, high) }, { sortBy: { _id: 1 } }, raw);
      expect(found).toEqual(await Promise.all(docs.map(({ _id }) => groupOf(_id + low, _id + high))));
    }
  });

  it('a window that grows is no work of its square', async () => {
    const source = { $map: { input: { $range: [0, 20_000] }, as: 'n', in: { n: { $mod: [{ $multiply: ['$$n', 7919] }, 20_011] } } } }; // prettier-ignore
    const grows = documents('unbounded', 'current');
    const output = {
      middle: { $median: { input: '$n', method: 'approximate' }, ...grows },
      best: { $topN: { n: 2, sortBy: { n: -1 }, output: '$n' }, ...grows },
    };
    const pipeline = [{ $documents: source }, { $setWindowFields: { sortBy: { n: 1 }, output } }, { $sort: { n: -1 } }, { $limit: 1 }]; // prettier-ignore
    const [last] = await database.db.aggregate(pipeline, { maxTimeMS: 20_000 }).toArray();
    expect(last!.best[0]).toBe(last!.n);
  });

  it.each([
    [
      'windows',
      { $setWindowFields: { sortBy: { n: 1 }, output: { r: { $push: '$n', ...documents('unbounded', 'current') } } } },
    ],
    ['what a stage makes', { $unwind: '$list' }],
  ])('ends in its time: %s', async (_what, stage) => {
    // prettier-ignore
    const numbers = { $range: [0, 3000] };
    const source = { $map: { input: numbers, as: 'n', in: { n: '$$n', list: { $range: [0, 200] } } } };
    const pipeline = [{ $documents: source }, stage, { $count: 'n' }];
    const command = { aggregate: 1, pipeline, cursor: {}, maxTimeMS: 1 };
    await expect(database.db.command(command)).rejects.toMatchObject({ code: 50 });
  });

  it('$derivative is the slope between the ends of the window, by the unit of time', async () => {
    const docs = numbered([1, 3, 11]);
    expect(await column(docs, { $derivative: { input: '$x' }, ...documents(-1, 0) })).toEqual([null, 2, 8]);
    const dated = [[1, 0], [3, 4], [4, 10]].map(([d, x], i) => ({ _id: i, at: day(d!), x })); // prettier-ignore
    const daily = { $derivative: { input: '$x', unit: 'day' }, ...documents(-1, 0) };
    expect(await column(dated, daily, { sortBy: { at: 1 } })).toEqual([null, 2, 6]);
    await expect(column(dated, { $derivative: { input: '$x' }, ...documents(-1, 0) }, { sortBy: { at: 1 } })).rejects.toThrow('unit'); // prettier-ignore
  });

  it('$integral is the area below the line through the points', async () => {
    const docs = numbered([2, 4, 6]);
    const integral = (input: AnyDoc) => ({ $integral: input, ...documents('unbounded', 'current') });
    expect(await column(docs, integral({ input: '$x' }))).toEqual([0, 3, 8]);
    const dated = [[1, 2], [3, 4]].map(([d, x], i) => ({ _id: i, at: day(d!), x })); // prettier-ignore
    expect(await column(dated, integral({ input: '$x', unit: 'day' }), { sortBy: { at: 1 } })).toEqual([0, 6]);
  });

  it('$expMovingAvg weighs by N or by alpha, and passes over what is no number', async () => {
    const docs = numbered([10, 'x', 20, 40]);
    expect(await column(docs, { $expMovingAvg: { input: '$x', N: 3 } })).toEqual([10, 10, 15, 27.5]);
    expect(await column(docs, { $expMovingAvg: { input: '$x', alpha: 0.25 } })).toEqual([10, 10, 12.5, 19.375]);
  });

  it('$covariancePop and $covarianceSamp take pairs', async () => {
    const docs = numbered([1, 2, 6]);
    const pair = ['$_id', '$x'];
    expect(await column(docs, { $covariancePop: pair, ...documents('unbounded', 'current') })).toEqual([0, 0.25, expect.closeTo(5 / 3)]); // prettier-ignore
    expect(await column(docs, { $covarianceSamp: pair, ...documents('unbounded', 'current') })).toEqual([null, 0.5, 2.5]); // prettier-ignore
  });

  it('$linearFill and $locf fill what is null or missing', async () => {
    const docs = numbered([null, 10, null, null, 40, null]);
    expect(await column(docs, { $linearFill: '$x' })).toEqual([null, 10, 20, 30, 40, null]);
    expect(await column(docs, { $locf: '$x' })).toEqual([null, 10, 10, 10, 40, 40]);
  });

  it.each([
    ['no output', {}, 40414],
    ['an option that is none', { output: {}, x: 1 }, 40415],
    ['a function that is none', { output: { r: { $summ: 1 } } }, 9],
    ['no function', { output: { r: { window: {} } } }, 9],
    ['an argument beside the function', { output: { r: { $sum: 1, x: 1 } } }, 9],
    ['places and values at once', { sortBy: { a: 1 }, output: { r: { $sum: 1, window: { documents: [0, 0], range: [0, 0] } } } }, 9], // prettier-ignore
    ['a unit of places', { sortBy: { a: 1 }, output: { r: { $sum: 1, window: { documents: [0, 0], unit: 'day' } } } }, 9], // prettier-ignore
    ['bounds that are not whole', { sortBy: { a: 1 }, output: { r: { $sum: 1, ...documents(0, 1.5) } } }, 9],
    ['bounds in the wrong order', { sortBy: { a: 1 }, output: { r: { $sum: 1, ...documents(1, 0) } } }, 5339900],
    ['bounds without an order', { output: { r: { $sum: 1, ...documents(-1, 0) } } }, 5339901],
    ['a range by two fields', { sortBy: { a: 1, b: 1 }, output: { r: { $sum: 1, window: { range: [0, 1] } } } }, 5339902], // prettier-ignore
    ['a rank with a window', { sortBy: { a: 1 }, output: { r: { $rank: {}, window: {} } } }, 5371601],
    ['a rank by two fields', { sortBy: { a: 1, b: 1 }, output: { r: { $rank: {} } } }, 5371602],
    ['a rank of something', { sortBy: { a: 1 }, output: { r: { $rank: '$a' } } }, 5371603],
    ['a shift without an order', { output: { r: { $shift: { output: 1, by: 1 } } } }, 9],
    ['a shift that falls back on the document', { sortBy: { a: 1 }, output: { r: { $shift: { output: 1, by: 1, default: { $add: ['$a', 1] } } } } }, 9], // prettier-ignore
    ['paths that lead into each other', { output: { a: { $sum: 1 }, 'a.b': { $sum: 1 } } }, 6307900],
    ['a slope without a window', { sortBy: { a: 1 }, output: { r: { $derivative: { input: 1 } } } }, 9],
    ['a slope by month', { sortBy: { a: 1 }, output: { r: { $derivative: { input: 1, unit: 'month' }, window: {} } } }, 5490710], // prettier-ignore
  ])('refuses %s', async (_what, spec, code) => {
    await expect(run([], [{ $setWindowFields: spec }])).rejects.toMatchObject({ code });
  });

  it('refuses a range over what is no number', async () => {
    const spec = { $sum: 1, window: { range: [0, 1] } };
    await expect(column(numbered(['a']), spec, { sortBy: { x: 1 } })).rejects.toMatchObject({ code: 5429414 });
    await expect(column(numbered([day(1)]), spec, { sortBy: { x: 1 } })).rejects.toMatchObject({ code: 5429413 });
  });
});

describe('$densify', () => {
  const xs = async (docs: AnyDoc[], spec: AnyDoc): Promise<AnyDoc[]> =>
    (await run(docs, [{ $densify: { field: 'x', ...spec } }])).map(({ _id, ...rest }) => (_id === undefined ? rest : { is: _id, ...rest })); // prettier-ignore

  it('fills between the least and the greatest, and leaves alone what has no value', async () => {
    const docs = [{ _id: 1, x: 1 }, { _id: 2, x: 3.5 }, { _id: 3 }, { _id: 4, x: 5 }]; // prettier-ignore
    expect(await xs(docs, { range: { step: 1, bounds: 'full' } })).toEqual([
      { is: 3 }, { is: 1, x: 1 }, { x: 2 }, { x: 3 }, { is: 2, x: 3.5 }, { x: 4 }, { is: 4, x: 5 },
    ]); // prettier-ignore
  });

  it('within bounds, also where there is nothing', async () => {
    const docs = [{ _id: 1, x: 0 }, { _id: 2, x: 4 }, { _id: 3, x: 11 }]; // prettier-ignore
    expect(await xs(docs, { range: { step: 2, bounds: [2, 8] } })).toEqual([
      { is: 1, x: 0 }, { x: 2 }, { is: 2, x: 4 }, { x: 6 }, { is: 3, x: 11 },
    ]); // prettier-ignore
    expect(await xs([], { range: { step: 2, bounds: [2, 6] } })).toEqual([{ x: 2 }, { x: 4 }]);
  });

  it('each partition by itself, or all of them to the same ends', async () => {
    const docs = [{ _id: 1, p: 'a', x: 1 }, { _id: 2, p: 'a', x: 3 }, { _id: 3, p: 'b', x: 4 }]; // prettier-ignore
    const spec = { partitionByFields: ['p'] };
    expect(await xs(docs, { ...spec, range: { step: 1, bounds: 'partition' } })).toEqual([
      { is: 1, p: 'a', x: 1 }, { p: 'a', x: 2 }, { is: 2, p: 'a', x: 3 }, { is: 3, p: 'b', x: 4 },
    ]); // prettier-ignore
    const full = await xs(docs, { ...spec, range: { step: 1, bounds: 'full' } });
    for (const p of ['a', 'b']) expect(full.filter((doc) => doc.p === p).map(({ x }) => x)).toEqual([1, 2, 3, 4]);
    const bounded = await xs(docs, { ...spec, range: { step: 2, bounds: [1, 6] } });
    expect(bounded.filter(({ p }) => p === 'a').map(({ x }) => x)).toEqual([1, 3, 5]);
    expect(bounded.filter(({ p }) => p === 'b').map(({ x }) => x)).toEqual([1, 3, 4, 5]);
  });

  it('dates go by a unit of the calendar', async () => {
    const docs = [{ _id: 1, x: day(1) }, { _id: 2, x: day(92) }]; // prettier-ignore
    const found = await xs(docs, { range: { step: 1, unit: 'month', bounds: 'full' } });
    expect(found.map(({ x }) => x)).toEqual([day(1), day(32), day(61), day(92)]);
  });

  it.each([
    ['no step', { range: { bounds: 'full' } }, 40414],
    ['a step back', { range: { step: -1, bounds: 'full' } }, 5733401],
    ['bounds that are none', { range: { step: 1, bounds: 'all' } }, 5946802],
    ['bounds of two types', { range: { step: 1, bounds: [1, 2.5] } }, 5876900],
    ['dates without a unit', { range: { step: 1, bounds: [day(1), day(2)] } }, 5733410],
    ['a partition of nothing', { range: { step: 1, bounds: 'partition' } }, 5733408],
  ])('refuses %s', async (_what, spec, code) => {
    await expect(run([], [{ $densify: { field: 'x', ...spec } }])).rejects.toMatchObject({ code });
  });

  it('refuses what is neither a number nor a date', async () => {
    await expect(xs(numbered(['a']), { range: { step: 1, bounds: 'full' } })).rejects.toMatchObject({ code: 5733201 });
  });
});

describe('$fill', () => {
  const docs = [{ _id: 1, p: 1, x: 1 }, { _id: 2, p: 1, x: null }, { _id: 3, p: 2 }, { _id: 4, p: 1, x: 5 }]; // prettier-ignore
  const filled = async (spec: AnyDoc): Promise<AnyDoc> =>
    (await run(docs, [{ $fill: spec }, { $sort: { _id: 1 } }])).map(({ x }) => x);

  it('by a value, the last known one, or the line between', async () => {
    expect(await filled({ output: { x: { value: { $multiply: ['$p', 10] } } } })).toEqual([1, 10, 20, 5]);
    expect(await filled({ sortBy: { _id: 1 }, output: { x: { method: 'locf' } } })).toEqual([1, 1, 1, 5]);
    const linear = { sortBy: { _id: 1 }, output: { x: { method: 'linear' } } };
    expect(await filled({ ...linear, partitionBy: '$p' })).toEqual([1, expect.closeTo(7 / 3), null, 5]);
    expect(await filled({ ...linear, partitionByFields: ['p'] })).toEqual([1, expect.closeTo(7 / 3), null, 5]);
  });

  it.each([
    ['nothing to fill', { output: {} }, 6050203],
    ['a value and a method', { output: { x: { value: 1, method: 'locf' } } }, 6050201],
    ['a method that is none', { output: { x: { method: 'cubic' } } }, 6050202],
    ['two ways to part', { partitionBy: '$p', partitionByFields: ['p'], output: { x: { value: 1 } } }, 6050204],
  ])('refuses %s', async (_what, spec, code) => {
    await expect(run([], [{ $fill: spec }])).rejects.toMatchObject({ code });
  });
});
