import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announceDatabase, findRunningDatabase } from './running';

const URI = 'mongodb://127.0.0.1:27099/maoga?replicaSet=embedded';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'maoga-running-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const leave = (content: string) => writeFileSync(join(directory, 'running.json'), content);

test('a running server is found by tools of its own user until it takes its address away', () => {
  expect(findRunningDatabase(directory)).toBeUndefined();
  const withdraw = announceDatabase(directory, URI);
  expect(findRunningDatabase(directory)).toBe(URI);
  expect(statSync(join(directory, 'running.json')).mode & 0o777).toBe(0o600);
  withdraw();
  expect(findRunningDatabase(directory)).toBeUndefined();
  expect(readdirSync(directory)).toEqual([]);
  expect(withdraw).not.toThrow();
});

test('what a crashed server has left is not believed', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  leave(JSON.stringify({ pid, uri: URI }));
  expect(findRunningDatabase(directory)).toBeUndefined();
});

test('a server takes its own address away, not that of the next one', () => {
  const withdraw = announceDatabase(directory, URI);
  const next = JSON.stringify({ pid: process.pid, uri: `${URI}&next=1` });
  leave(next);
  withdraw();
  expect(findRunningDatabase(directory)).toBe(`${URI}&next=1`);
});

test.each(['', '{', 'null', '[]', '{"pid":"1"}', '{"pid":-1,"uri":"mongodb://h"}', '{"pid":1,"uri":"http://h"}'])(
  'a damaged file (%j) is as good as none',
  (content) => {
    leave(content);
    expect(findRunningDatabase(directory)).toBeUndefined();
  },
);
