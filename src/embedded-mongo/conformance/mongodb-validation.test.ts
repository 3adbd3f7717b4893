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
