import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** release.sh against stand-ins for aws, npx and npm, which write down what they are asked. */

const OUTPUTS = {
  ClusterName: 'maoga-staging',
  MigrationFamily: 'maoga-staging-migration',
  VersionTag: '1.0.0',
  PublicUrl: 'https://staging.example',
  TaskSubnets: 'subnet-1,subnet-2',
  TaskSecurityGroup: 'sg-1',
};
const TASK = {
  taskDefinitionArn: 'arn:old',
  revision: 7,
  status: 'ACTIVE',
  family: 'maoga-staging-migration',
  containerDefinitions: [{ name: 'app', image: '1.dkr.ecr.example/maoga-server:1.0.0' }],
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maoga-release-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function release({ migration = 0, smoke = 0 }: { migration?: number; smoke?: number } = {}) {
  const program = (name: string, body: string) => {
    writeFileSync(join(folder, name), `#!/bin/bash\necho "${name} $*" >> "${folder}/asked"\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  const outputs = Object.entries(OUTPUTS).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
  program(
    'aws',
    `case "$1 $2" in
      'cloudformation describe-stacks') echo '${JSON.stringify(outputs)}' ;;
      'ecs describe-task-definition') echo '${JSON.stringify(TASK)}' ;;
      'ecs register-task-definition') echo arn:new ;;
      'ecs run-task') echo arn:task ;;
      'ecs describe-tasks') echo ${migration} ;;
    esac`,
  );
  program('npx', '');
  program('npm', `exit ${smoke}`);
  const env = { ...process.env, PATH: [folder, process.env['PATH']].join(delimiter) };
  const { status, stderr } = spawnSync(join(__dirname, 'release.sh'), ['staging', '2.0.0'], { env, encoding: 'utf8' });
  const asked = readFileSync(join(folder, 'asked'), 'utf8');
  const versions = [...asked.matchAll(/^npx cdk deploy .*version=(\S+)/gm)].map(([, version]) => version);
  return { status, stderr, asked, versions };
}

it('migrates from the new image, deploys, then tries it', () => {
  const { status, asked, versions } = release();
  expect([status, versions]).toEqual([0, ['2.0.0']]);
  const steps = asked.match(/register-task-definition|run-task|tasks-stopped|cdk deploy Maoga-staging|run smoke/g);
  expect(steps).toEqual([
    'register-task-definition',
    'run-task',
    'tasks-stopped',
    'cdk deploy Maoga-staging',
    'run smoke',
  ]);
  expect(asked).toContain('maoga-server:2.0.0');
  expect(asked).toContain('subnets=[subnet-1,subnet-2],securityGroups=[sg-1],assignPublicIp=DISABLED');
  expect(asked).toContain('run smoke -- https://staging.example');
  // revision and status are not accepted back
  expect(asked).not.toMatch(/"(revision|status|taskDefinitionArn)"/);
});

it('changes nothing when migrations fail', () => {
  const { status, stderr, versions } = release({ migration: 1 });
  expect([status, versions]).toEqual([1, []]);
  expect(stderr).toContain('The migrations of 2.0.0 failed (exit code 1)');
});

it('brings the version before back when the smoke test fails', () => {
  const { status, stderr, versions } = release({ smoke: 1 });
  expect([status, versions]).toEqual([1, ['2.0.0', '1.0.0']]);
  expect(stderr).toContain('back to 1.0.0');
});
