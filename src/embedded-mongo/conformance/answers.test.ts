/** Holds the running server against 3,600 answers that a real mongod gave (testing/mongod-answers/README.md). */
import { MongoClient } from 'mongodb';
import accepted from './answers.accepted.json';
import { startEmbeddedMongo } from '../index';
import { areaNames, readArea } from '../testing/answers';
import { RAW, replayArea, type Finding } from '../testing/replay';

const explained: Record<string, { reason: string; source: string }> = accepted;
const table: string[] = ['area                 cases  equal  refused  different'];
let server: Awaited<ReturnType<typeof startEmbeddedMongo>>;
let client: MongoClient;

beforeAll(async () => {
  server = await startEmbeddedMongo();
  client = await MongoClient.connect(server.uri, { retryWrites: false, ...RAW });
});

afterAll(async () => {
  await client.close();
  await server.stop();
  process.stdout.write(`${table.join('\n')}\n`);
});

const share = (findings: Finding[], outcome: string): number =>
  findings.filter((finding) => finding.outcome === outcome).length / findings.length;

test.each(areaNames())(
  'answers as mongod does: %s',
  async (name) => {
    const findings = await replayArea(client, readArea(name));
    const counts = ['equal', 'refused', 'different'].map((outcome) =>
      Math.round(share(findings, outcome) * findings.length),
    );
    table.push([name.padEnd(20), ...[findings.length, ...counts].map((n) => String(n).padStart(6))].join(' '));
    const different = findings.filter(({ outcome }) => outcome === 'different');
    expect(different.filter(({ id }) => !explained[id]).map(({ id }) => id)).toEqual([]);
    expect(share(findings, 'equal')).toBeGreaterThanOrEqual(0.95);
    expect(share(findings, 'different')).toBeLessThanOrEqual(0.02);
    const outdated = Object.keys(explained).filter(
      (id) => id.replace(/-\d+$/, '') === name && !different.some((each) => each.id === id),
    );
    expect(outdated).toEqual([]);
  },
  120_000,
);
