const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

/** Sessions and their refresh tokens: both end by themselves. */
module.exports = {
  async up(db) {
    for (const name of ['sessions', 'refreshTokens']) await ensureCollection(db, name);
    const ttl = { key: { expiresAt: 1 }, name: 'ttl', expireAfterSeconds: 0 };
    await db.collection('sessions').createIndexes([{ key: { userId: 1, _id: -1 }, name: 'user' }, ttl]);
    await db.collection('refreshTokens').createIndexes([{ key: { userId: 1 }, name: 'user' }, ttl]);
  },

  async down(db) {
    for (const name of ['refreshTokens', 'sessions']) await takeBackCollection(db, name);
  },
};
