/**
 * For Jest, which cannot import ES modules: the part of migrate-mongo that is used, transformed like our own code. The
 * package's own entry brings more, which does not survive that.
 */
const library = '../../node_modules/migrate-mongo/lib';

module.exports = {
  up: require(`${library}/actions/up.js`).default,
  down: require(`${library}/actions/down.js`).default,
  status: require(`${library}/actions/status.js`).default,
  config: require(`${library}/env/config.js`).default,
};
