'use strict';
// Stands in for mongodump and mongorestore, which cannot be installed everywhere: the same arguments, configuration file, pipes, exit
// codes and refusals, so far as scripts/backup uses them. Its archives are its own: a line that says so, a document a line, and at
// the end what the oplog had. What it was called with is appended to the file that STAND_IN_LOG names.
const { appendFileSync, readFileSync, statSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { URL } = require('node:url');
const {
  BSON: { EJSON },
  MongoClient,
} = require('mongodb');

const BEGIN = 'stand-in archive';
const END = 'stand-in oplog';

function optionsOf(known) {
  const args = process.argv.slice(2);
  if (args[0] === '--version') {
    console.log(`${known.name} version: 100.0.0\ngit version: stand-in`);
    process.exit(0);
  }
  const strange = args.find((arg) => !known.flags.some((flag) => arg === flag || arg.startsWith(`${flag}=`)));
  if (strange) fail(`error parsing command line options: unknown option "${strange}"`);
  const file = args.find((arg) => arg.startsWith('--config=')).slice('--config='.length);
  const uri = JSON.parse(/^uri: (".*")$/m.exec(readFileSync(file, 'utf8'))[1]);
  const mode = (statSync(file).mode & 0o777).toString(8);
  if (process.env.STAND_IN_LOG)
    appendFileSync(process.env.STAND_IN_LOG, `${JSON.stringify({ tool: known.name, args, file, mode, uri })}\n`);
  return { args, uri };
}

function fail(words) {
  console.error(`2026-01-01T00:00:00.000+0000\tFailed: ${words}`);
  process.exit(1);
}

async function withDatabase(uri, work) {
  const client = new MongoClient(uri);
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

exports.dump = async () => {
  const { args, uri } = optionsOf({ name: 'mongodump', flags: ['--config', '--archive', '--oplog'] });
  if (args.includes('--oplog') && new URL(uri).pathname.length > 1)
    fail('bad option: --oplog mode only supported on full dumps');
  const print = (line) => process.stdout.write(`${line}\n`);
  await withDatabase(uri, async (client) => {
    print(BEGIN);
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
    for (const { name } of databases.filter(({ name }) => name !== 'local'))
      for (const collection of await client.db(name).listCollections({}, { nameOnly: true }).toArray())
        for await (const row of client.db(name).collection(collection.name).find({}, { promoteValues: false })) {
          print(EJSON.stringify({ ns: [name, collection.name], row }, { relaxed: false }));
          if (process.env.STAND_IN_FAULT === 'dump') fail(`connection to ${uri} was closed`);
        }
    if (args.includes('--oplog')) print(END);
  });
};

exports.restore = async () => {
  const flags = ['--config', '--archive', '--oplogReplay', '--nsExclude', '--stopOnError'];
  const { args, uri } = optionsOf({ name: 'mongorestore', flags });
  const excluded = args.filter((arg) => arg.startsWith('--nsExclude=')).map((arg) => arg.slice(12, -2));
  if (process.env.STAND_IN_FAULT === 'restore') fail('(Unauthorized) not authorized on admin to execute command');
  const lines = [];
  for await (const line of createInterface({ input: process.stdin })) lines.push(line);
  if (lines.shift() !== BEGIN) fail('stream or file does not appear to be a mongodump archive');
  if (lines.pop() !== END) fail('no oplog file to replay; make sure you run mongodump with --oplog');
  await withDatabase(uri, async (client) => {
    for (const { ns, row } of lines.map((line) => EJSON.parse(line, { relaxed: false })))
      if (!excluded.includes(ns[0])) await client.db(ns[0]).collection(ns[1]).insertOne(row);
  });
};
