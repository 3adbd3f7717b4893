import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

it('is synthesised by the CDK itself, without an account and without asking the network', () => {
  const out = mkdtempSync(join(tmpdir(), 'maoga-cdk-'));
  try {
    const env = { PATH: process.env['PATH'], HOME: out, AWS_EC2_METADATA_DISABLED: 'true' };
    const cdk = join(__dirname, 'node_modules/aws-cdk/bin/cdk');
    const { status, stderr } = spawnSync(process.execPath, [cdk, 'synth', '--quiet', '--no-notices', '--output', out], {
      cwd: __dirname,
      env,
      encoding: 'utf8',
    });
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    const templates = readdirSync(out).filter((file) => file.endsWith('.template.json'));
    expect(templates.sort()).toEqual(
      ['registry', 'staging', 'production'].map((name) => `Maoga-${name}.template.json`).sort(),
    );
  } finally {
    rmSync(out, { recursive: true });
  }
});
