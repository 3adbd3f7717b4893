/** Validators of collections, and `$jsonSchema`. */
import { type CreateCollectionOptions } from 'mongodb';
import { idsOf, useDatabase, type AnyCollection, type AnyDoc } from '../testing/database';

const database = useDatabase();
let made = 0;

async function validated(options: CreateCollectionOptions): Promise<AnyCollection> {
  return database.db.createCollection(`validated${(made += 1)}`, options);
}
const errorOf = (promise: Promise<unknown>): Promise<AnyDoc> =>
  promise.then(() => undefined, (error: unknown) => error); // prettier-ignore

const USER = {
  $jsonSchema: {
    bsonType: 'object',
    required: ['name', 'age'],
    properties: {
      _id: {},
      name: { bsonType: 'string', minLength: 2, description: 'what others see' },
      age: { bsonType: ['int', 'double'], minimum: 0, maximum: 150, exclusiveMaximum: true },
      tags: { bsonType: 'array', uniqueItems: true, items: { enum: ['a', 'b'] } },
    },
    additionalProperties: false,
  },
};

it('no write leaves a document that does not match the validator', async () => {
  const users = await validated({ validator: USER });
  await users.insertOne({ _id: 1, name: 'Ada', age: 36, tags: ['a', 'b'] });
  const failed = await errorOf(users.insertOne({ _id: 2, name: 'A', age: 36 }));
  expect(failed).toMatchObject({ code: 121, errmsg: 'Document failed validation' });
  expect(failed.errInfo.failingDocumentId).toBe(2);
  const changes: AnyDoc[] = [{ $set: { age: 150 } }, { $unset: { name: 1 } }, { $push: { tags: 'a' } }, { $set: { x: 1 } }]; // prettier-ignore
  for (const change of changes) expect((await errorOf(users.updateOne({ _id: 1 }, change))).code).toBe(121);
  expect((await errorOf(users.findOneAndUpdate({ _id: 1 }, { $set: { age: -1 } }))).code).toBe(121);
  expect((await errorOf(users.updateOne({ _id: 3 }, { $set: { name: 'Bo' } }, { upsert: true }))).code).toBe(121);
  expect(await users.find().toArray()).toEqual([{ _id: 1, name: 'Ada', age: 36, tags: ['a', 'b'] }]);
});

it('a write may ask not to be validated', async () => {
  const collection = await validated({ validator: { a: { $gt: 0 } } });
  await collection.insertOne({ _id: 1, a: -1 }, { bypassDocumentValidation: true });
  await collection.updateOne({ _id: 1 }, { $set: { a: -2 } }, { bypassDocumentValidation: true });
  expect((await errorOf(collection.updateOne({ _id: 1 }, { $set: { a: -3 } }))).code).toBe(121);
});

it('collMod sets, loosens and takes away a validator, and listCollections shows it', async () => {
  const collection = await validated({});
  const name = collection.collectionName;
  await collection.insertOne({ _id: 1, a: -1 });
  await database.db.command({ collMod: name, validator: { a: { $gt: 0 } } });
  expect((await errorOf(collection.updateOne({ _id: 1 }, { $set: { b: 1 } }))).code).toBe(121);
  await database.db.command({ collMod: name, validationLevel: 'moderate' });
  await collection.updateOne({ _id: 1 }, { $set: { b: 1 } });
  expect((await errorOf(collection.insertOne({ a: -1 }))).code).toBe(121);
  const [listed] = await database.db.listCollections({ name }).toArray();
  expect(listed).toMatchObject({ options: { validator: { a: { $gt: 0 } }, validationLevel: 'moderate', validationAction: 'error' } }); // prettier-ignore
  await database.db.command({ collMod: name, validationAction: 'warn' });
  await collection.insertOne({ a: -1 });
  await database.db.command({ collMod: name, validator: {}, validationAction: 'error' });
  await collection.insertOne({ a: -1 });
});

it('a validator that is no filter is refused when the collection is made', async () => {
  expect((await errorOf(validated({ validator: { a: { $nonsense: 1 } } }))).code).toBe(2);
  expect((await errorOf(validated({ validator: { $jsonSchema: { nonsense: 1 } } }))).code).toBe(9);
  expect((await errorOf(validated({ validator: { $jsonSchema: { type: 'integer' } } }))).code).toBe(9);
});

it.each([
  [{ required: ['a'] }, [1, 2, 3, 4]],
  [{ properties: { a: { type: 'number' } } }, [1, 2, 5]],
  [{ properties: { a: { multipleOf: 2 } } }, [2, 3, 4, 5]],
  [{ properties: { a: { minLength: 3, pattern: '^x' } } }, [1, 2, 4, 5]],
  [{ properties: { a: { minItems: 2 } } }, [1, 2, 3, 4, 5]],
  [{ properties: { a: { items: [{ type: 'string' }], additionalItems: false } } }, [1, 2, 3, 5]],
  [{ anyOf: [{ properties: { a: { minimum: 2 } } }, { required: ['b'] }] }, [1, 2, 3, 4, 5]],
  [{ oneOf: [{ required: ['a'] }, { required: ['b'] }] }, [2, 3, 4, 5]],
  [{ not: { required: ['b'] } }, [2, 3, 4]],
  [{ dependencies: { a: ['b'] } }, [1, 5]],
  [{ minProperties: 3 }, [1]],
  [{ patternProperties: { '^b': { bsonType: 'string' } } }, [1, 2, 3, 4]],
])('finds by $jsonSchema: %j', async (schema, ids) => {
  const collection = await database.collection([{ _id: 1, a: 1, b: 'x' }, { _id: 2, a: 2 }, { _id: 3, a: 'yz' }, { _id: 4, a: [1, 2] }, { _id: 5, b: 1 }]); // prettier-ignore
  expect(await idsOf(collection, { $jsonSchema: schema })).toEqual(ids);
});

describe('errInfo tells what failed', () => {
  const detailsOf = async (validator: AnyDoc, doc: AnyDoc): Promise<AnyDoc> =>
    (await errorOf((await validated({ validator })).insertOne({ _id: 1, ...doc }))).errInfo.details;

  it('of a schema: the rules, the properties, and the values that were considered', async () => {
    const schema = {
      title: 'a player',
      required: ['name', 'age'],
      properties: {
        name: { bsonType: 'string', minLength: 2, description: 'what others see' },
        age: { bsonType: 'int', minimum: 18, exclusiveMinimum: true },
        tags: { bsonType: 'array', uniqueItems: true, items: { enum: ['a', 'b'] } },
        at: { properties: { x: { maximum: 5 } } },
      },
    };
    expect(await detailsOf({ $jsonSchema: schema }, { name: 'A', tags: ['a', 'c', 'a'], at: { x: 6 } })).toEqual({
      operatorName: '$jsonSchema',
      title: 'a player',
      schemaRulesNotSatisfied: [
        {
          operatorName: 'properties',
          propertiesNotSatisfied: [
            {
              propertyName: 'name',
              description: 'what others see',
              details: [{ operatorName: 'minLength', specifiedAs: { minLength: 2 }, reason: 'specified string length was not satisfied', consideredValue: 'A' }], // prettier-ignore
            },
            {
              propertyName: 'tags',
              details: [
                { operatorName: 'uniqueItems', specifiedAs: { uniqueItems: true }, reason: 'found a duplicate item', consideredValue: ['a', 'c', 'a'], duplicatedValue: 'a' }, // prettier-ignore
                {
                  operatorName: 'items',
                  reason: 'At least one item did not match the sub-schema',
                  itemIndex: 1,
                  details: [{ operatorName: 'enum', specifiedAs: { enum: ['a', 'b'] }, reason: 'value was not found in enum', consideredValue: 'c' }], // prettier-ignore
                },
              ],
            },
            {
              propertyName: 'at',
              details: [
                {
                  operatorName: 'properties',
                  propertiesNotSatisfied: [
                    {
                      propertyName: 'x',
                      details: [{ operatorName: 'maximum', specifiedAs: { maximum: 5 }, reason: 'comparison failed', consideredValue: 6 }], // prettier-ignore
                    },
                  ],
                },
              ],
            },
          ],
        },
        { operatorName: 'required', specifiedAs: { required: ['name', 'age'] }, missingProperties: ['age'] },
      ],
    });
    const [{ propertiesNotSatisfied }] = (await detailsOf({ $jsonSchema: schema }, { name: 'Al', age: 18 })).schemaRulesNotSatisfied; // prettier-ignore
    expect(propertiesNotSatisfied).toEqual([
      {
        propertyName: 'age',
        details: [{ operatorName: 'minimum', specifiedAs: { minimum: 18, exclusiveMinimum: true }, reason: 'comparison failed', consideredValue: 18 }], // prettier-ignore
      },
    ]);
  });

  it.each([
    [{ type: 'string' }, { operatorName: 'type', specifiedAs: { type: 'string' }, reason: 'type did not match', consideredValue: 1, consideredType: 'int' }], // prettier-ignore
    [{ multipleOf: 2 }, { operatorName: 'multipleOf', specifiedAs: { multipleOf: 2 }, reason: 'considered value is not a multiple of the specified value', consideredValue: 1 }], // prettier-ignore
    [{ not: { minimum: 0 } }, { operatorName: 'not', reason: 'child expression matched' }],
    [{ oneOf: [{ minimum: 0 }, { maximum: 5 }] }, { operatorName: 'oneOf', reason: 'more than one subschema matched', matchingSchemaIndexes: [0, 1] }], // prettier-ignore
    [{ anyOf: [{ minimum: 2 }] }, { operatorName: 'anyOf', schemasNotSatisfied: [{ index: 0, details: [{ operatorName: 'minimum', specifiedAs: { minimum: 2 }, reason: 'comparison failed', consideredValue: 1 }] }] }], // prettier-ignore
  ])('of the schema %j of a property', async (schema, rule) => {
    const details = await detailsOf({ $jsonSchema: { properties: { a: schema } } }, { a: 1 });
    expect(details.schemaRulesNotSatisfied[0].propertiesNotSatisfied[0].details).toEqual([rule]);
  });

  it('of additional properties, and of those that others depend on', async () => {
    const schema = { properties: { _id: {}, a: {} }, additionalProperties: false, dependencies: { a: ['b'] } };
    const { schemaRulesNotSatisfied } = await detailsOf({ $jsonSchema: schema }, { a: 1, x: 2 });
    expect(schemaRulesNotSatisfied).toEqual([
      {
        operatorName: 'additionalProperties',
        specifiedAs: { additionalProperties: false },
        additionalProperties: ['x'],
      },
      { operatorName: 'dependencies', failingDependencies: [{ conditionalProperty: 'a', missingProperties: ['b'] }] },
    ]);
  });

  it.each([
    [{ a: { $gt: 5 } }, { operatorName: '$gt', specifiedAs: { a: { $gt: 5 } }, reason: 'comparison failed', consideredValue: 1 }], // prettier-ignore
    [{ b: 5 }, { operatorName: '$eq', specifiedAs: { b: 5 }, reason: 'field was missing' }],
    [{ list: { $in: [9] } }, { operatorName: '$in', specifiedAs: { list: { $in: [9] } }, reason: 'no matching value found in array', consideredValues: [1, 2] }], // prettier-ignore
    [{ a: { $type: 'string' } }, { operatorName: '$type', specifiedAs: { a: { $type: 'string' } }, reason: 'type did not match', consideredValue: 1, consideredType: 'int' }], // prettier-ignore
    [{ b: { $exists: true } }, { operatorName: '$exists', specifiedAs: { b: { $exists: true } }, reason: 'path does not exist' }], // prettier-ignore
    [{ $expr: { $eq: ['$a', 2] } }, { operatorName: '$expr', specifiedAs: { $expr: { $eq: ['$a', 2] } }, reason: 'expression did not match', expressionResult: false }], // prettier-ignore
    [{ b: 5, $expr: { $divide: [1, '$list'] } }, { operatorName: '$and', clausesNotSatisfied: [expect.objectContaining({ index: 0 }), { index: 1, details: expect.objectContaining({ reason: 'failed to evaluate aggregation expression', details: expect.objectContaining({ code: 16609 }) }) }] }], // prettier-ignore
    [{ a: 1, b: 2 }, { operatorName: '$and', clausesNotSatisfied: [{ index: 1, details: { operatorName: '$eq', specifiedAs: { b: 2 }, reason: 'field was missing' } }] }], // prettier-ignore
    [{ $or: [{ a: 2 }, { a: 3 }] }, { operatorName: '$or', clausesNotSatisfied: [2, 3].map((n, index) => ({ index, details: { operatorName: '$eq', specifiedAs: { a: n }, reason: 'comparison failed', consideredValue: 1 } })) }], // prettier-ignore
  ])('of the filter %j', async (validator, details) => {
    expect(await detailsOf(validator, { a: 1, list: [1, 2] })).toEqual(details);
  });
});

it('tells what failed of as many documents as a reply has room for, and the codes of all', async () => {
  const collection = await validated({ validator: { a: { $type: 'int' } } });
  const docs = Array.from({ length: 4 }, () => ({ a: 'x'.repeat(4_000_000) }));
  const { writeErrors } = await errorOf(collection.insertMany(docs, { ordered: false }));
  expect(writeErrors.map(({ code }: AnyDoc) => code)).toEqual([121, 121, 121, 121]);
  expect(writeErrors.map(({ err }: AnyDoc) => err.errInfo !== undefined)).toEqual([true, true, false, false]);
});

it('tells of a document that its details are too large for a reply', async () => {
  const clauses = ['int', 'long', 'date', 'bool'].map((type) => ({ a: { $type: type } }));
  const collection = await validated({ validator: { $and: clauses } });
  const error = await errorOf(collection.insertOne({ a: 'x'.repeat(5_000_000) }));
  expect(error).toMatchObject({ code: 121, message: 'Document failed validation' });
});
