const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

/** Which instance leads which pools; the rows are made by the first instance that looks for them. */
module.exports = {
  async up(db) {
    await ensureCollection(db, 'instances');
    await ensureCollection(db, 'leases');
    await db.collection('leases').createIndexes([{ key: { owner: 1 }, name: 'owner' }]);
    await ensureCollection(db, 'fences');
  },

  async down(db) {
    for (const name of ['fences', 'leases', 'instances']) await takeBackCollection(db, name);
  },
};
