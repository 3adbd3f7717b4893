const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

const CASE_INSENSITIVE = { locale: 'en', strength: 2 };

/** Accounts, and what is between two of them. */
module.exports = {
  async up(db) {
    await ensureCollection(db, 'users');
    await db.collection('users').createIndexes([
      { key: { email: 1 }, name: 'email', unique: true, collation: CASE_INSENSITIVE },
      { key: { username: 1 }, name: 'username', unique: true, collation: CASE_INSENSITIVE },
      { key: { searchKeys: 1 }, name: 'search' },
    ]);
    await ensureCollection(db, 'relations');
    await db.collection('relations').createIndexes([
      { key: { users: 1, state: 1, since: -1, _id: -1 }, name: 'users_state' },
      { key: { blockedBy: 1, since: -1, _id: -1 }, name: 'blocked_by' },
    ]);
  },

  async down(db) {
    for (const name of ['relations', 'users']) await takeBackCollection(db, name);
  },
};
