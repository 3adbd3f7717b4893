const ensureCollection = require('./shared/ensure-collection');
const takeBackCollection = require('./shared/take-back-collection');

/** The catalogue. */
module.exports = {
  async up(db) {
    await ensureCollection(db, 'games');
    await db.collection('games').createIndexes([
      { key: { slug: 1 }, name: 'slug', unique: true },
      { key: { searchKeys: 1 }, name: 'search' },
      { key: { sortName: 1, _id: 1 }, name: 'by_name' },
      { key: { genres: 1, sortName: 1, _id: 1 }, name: 'genre_name' },
      { key: { platforms: 1, sortName: 1, _id: 1 }, name: 'platform_name' },
      { key: { matches: -1, _id: 1 }, name: 'by_popularity' },
      { key: { releaseDate: -1, _id: 1 }, name: 'by_release' },
      { key: { trend: -1, _id: 1 }, name: 'by_trend' },
    ]);
  },

  async down(db) {
    await takeBackCollection(db, 'games');
  },
};
