const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

/** What the core itself keeps: facts to be told, answers of idempotent requests, each player's event counter. */
module.exports = {
  async up(db) {
    await ensureCollection(db, 'outbox');
    await db.collection('outbox').createIndexes([
      {
        key: { notBefore: 1, createdAt: 1, _id: 1 },
        name: 'undelivered',
        partialFilterExpression: { deliveredAt: null },
      },
      {
        key: { key: 1, createdAt: 1, _id: 1 },
        name: 'undelivered_by_key',
        partialFilterExpression: { deliveredAt: null },
      },
      { key: { deliveredAt: 1 }, name: 'delivered_ttl', expireAfterSeconds: 86_400 },
    ]);
    await ensureCollection(db, 'idempotencyKeys');
    await db
      .collection('idempotencyKeys')
      .createIndexes([{ key: { createdAt: 1 }, name: 'ttl', expireAfterSeconds: 86_400 }]);
    await ensureCollection(db, 'feeds');
  },

  async down(db) {
    for (const name of ['outbox', 'idempotencyKeys', 'feeds']) await takeBackCollection(db, name);
  },
};
