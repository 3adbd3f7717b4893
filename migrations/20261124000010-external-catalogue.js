const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

/** Games that come from an external catalogue, each once, and how far its synchronisation is. */
module.exports = {
  async up(db) {
    await ensureCollection(db, 'catalogueSyncs');
    await db.collection('games').createIndexes([
      {
        key: { 'source.provider': 1, 'source.id': 1 },
        name: 'source',
        unique: true,
        partialFilterExpression: { 'source.id': { $exists: true } },
      },
    ]);
  },

  async down(db) {
    await db.collection('games').dropIndex('source');
    await takeBackCollection(db, 'catalogueSyncs');
  },
};
