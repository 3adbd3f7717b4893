const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

/** The life of accounts: mails to be sent, links in them, second factors, and what is to be erased. */
module.exports = {
  async up(db) {
    await ensureCollection(db, 'mailbox');
    const undelivered = { partialFilterExpression: { deliveredAt: null } };
    await db.collection('mailbox').createIndexes([
      { key: { notBefore: 1, createdAt: 1, _id: 1 }, name: 'undelivered', ...undelivered },
      { key: { key: 1, createdAt: 1, _id: 1 }, name: 'undelivered_by_key', ...undelivered },
      { key: { deliveredAt: 1 }, name: 'delivered_ttl', expireAfterSeconds: 86_400 },
    ]);
    await ensureCollection(db, 'linkTokens');
    await db.collection('linkTokens').createIndexes([
      { key: { userId: 1, purpose: 1, createdAt: -1 }, name: 'user_purpose' },
      { key: { expiresAt: 1 }, name: 'ttl', expireAfterSeconds: 0 },
    ]);
    await ensureCollection(db, 'secondFactors');
    await ensureCollection(db, 'signInChallenges');
    await db.collection('signInChallenges').createIndexes([
      { key: { userId: 1 }, name: 'user' },
      { key: { expiresAt: 1 }, name: 'ttl', expireAfterSeconds: 0 },
    ]);
    await db.collection('users').createIndexes([
      {
        key: { 'closing.eraseAt': 1 },
        name: 'erase_due',
        partialFilterExpression: { 'closing.eraseAt': { $exists: true } },
      },
    ]);
  },

  async down(db) {
    await db.collection('users').dropIndex('erase_due');
    for (const name of ['signInChallenges', 'secondFactors', 'linkTokens', 'mailbox'])
      await takeBackCollection(db, name);
  },
};
