import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isOnPath } from '../../scripts/cluster/services';
import type { MetricNote } from '../../src/observability/metrics';
import type { MaogaServer } from '../../src/server';
import { startTestServer } from '../support/server';

/** Dashboards, alerts, runbooks and the list of metrics say what the server has. */

const ROOT = join(__dirname, '../..');
const FOLDER = join(ROOT, 'docker/monitoring');
const RUNBOOKS = join(ROOT, 'docs/operations/runbooks');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook: string };
}
const { groups } = parse(read('docker/monitoring/alerts.yml')) as { groups: { rules: Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);
const { panels } = JSON.parse(read('docker/monitoring/grafana/dashboards/maoga.json')) as {
  panels: { title: string; targets?: { expr: string }[] }[];
};
const queries: [string, string][] = [
  ...alerts.map(({ alert, expr }): [string, string] => [`alert ${alert}`, expr]),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [`panel ${title}`, expr])),
];

/** What is asked of the server in PromQL: `name{label="value"}`; the prober's and Prometheus' own metrics are not. */
function asked(expr: string): { name: string; labels: { label: string; values: string[] }[] }[] {
  return [...expr.matchAll(/\b((?:maoga|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', inside = '']) => ({
    name,
    labels: [...inside.matchAll(/(\w+)\s*[=!]~?\s*"([^"]*)"/g)].map(([, label = '', values = '']) => ({
      label,
      values: values.split('|'),
    })),
  }));
}

let server: MaogaServer;
let known: Map<string, MetricNote>;
beforeAll(async () => {
  server = await startTestServer({ runLoops: false, env: { METRICS_PORT: '0' } });
  known = new Map(
    server.metrics.flatMap((metric) =>
      (metric.type === 'histogram'
        ? ['_bucket', '_sum', '_count']
        : metric.type === 'summary'
          ? ['', '_sum', '_count']
          : ['']
      ).map((suffix) => [metric.name + suffix, metric]),
    ),
  );
});

describe('metrics', () => {
  test('are named as Prometheus wants it', () => {
    const own = server.metrics.filter(({ name }) => name.startsWith('maoga_'));
    expect(own.length).toBeGreaterThan(30);
    const counters = own.filter(({ type }) => type === 'counter');
    expect(counters.filter(({ name }) => !name.endsWith('_total'))).toEqual([]);
    expect(own.filter(({ name, type }) => type !== 'counter' && name.endsWith('_total'))).toEqual([]);
    expect(own.filter(({ name }) => /_(ms|millis|milliseconds|minutes|kb|mb)(_|$)/.test(name))).toEqual([]);
    expect(own.filter(({ help }) => help.length < 10)).toEqual([]);
  });

  test('are listed in docs/operations/monitoring.md as they are', () => {
    const rows = server.metrics
      .filter(({ name }) => name.startsWith('maoga_'))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, type, labels, help }) => `${name} | ${type} | ${labels.join(', ')} | ${help}`);
    const listed = [...read('docs/operations/monitoring.md').matchAll(/^\| `(maoga_\w+)` *\|(.*)\|$/gm)].map(
      ([, name = '', rest = '']) => [name, ...rest.split('|').map((cell) => cell.trim())].join(' | '),
    );
    expect(listed).toEqual(rows);
  });
});

describe('dashboards and alerts', () => {
  test.each(queries)('%s asks for what the server has', (_where, expr) => {
    for (const { name, labels } of asked(expr)) {
      const metric = known.get(name);
      expect([name, metric !== undefined]).toEqual([name, true]);
      const own = ['instance', 'job', 'le', ...(metric?.labels ?? [])];
      expect(labels.map(({ label }) => label).filter((label) => !own.includes(label))).toEqual([]);
      const routes = labels.flatMap(({ label, values }) => (label === 'route' ? values : []));
      expect(routes.filter((path) => !server.routes.some((route) => route.path === path))).toEqual([]);
      const loops = labels.flatMap(({ label, values }) => (label === 'loop' ? values : []));
      expect(loops.filter((loop) => !server.loops.has(loop))).toEqual([]);
    }
  });

  test('every metric of ours is on the dashboard', () => {
    const shown = new Set(
      panels
        .flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => asked(expr)))
        .map(({ name }) => known.get(name)?.name),
    );
    const ours = server.metrics.filter(({ name }) => name.startsWith('maoga_')).map(({ name }) => name);
    expect(ours.filter((name) => !shown.has(name))).toEqual([]);
  });

  test('panels do not overlap', () => {
    const places = (JSON.stringify(panels).match(/"gridPos":\{[^}]*\}/g) ?? []).map((place) => place);
    expect(new Set(places).size).toBe(places.length);
  });
});

describe('runbooks', () => {
  test.each(alerts.map((alert) => [alert.alert, alert] as const))('%s has one, that says what to do', (name, alert) => {
    expect(['critical', 'warning']).toContain(alert.labels.severity);
    const text = read(alert.annotations.runbook);
    expect(text).toContain(`# ${name}\n`);
    expect(text).toContain(`${alert.annotations.summary}. Severity: ${alert.labels.severity}.`);
    expect(text.match(/^## .*$/gm)).toEqual(['## What it means', '## Look', '## Do']);
  });

  test('none is left of an alert that is gone, and all are listed', () => {
    const files = readdirSync(RUNBOOKS).sort();
    expect(files.map((file) => `docs/operations/runbooks/${file}`)).toEqual(
      alerts.map(({ annotations }) => annotations.runbook).sort(),
    );
    const page = read('docs/operations/monitoring.md');
    expect(files.filter((file) => !page.includes(`(runbooks/${file})`))).toEqual([]);
  });

  test('name only metrics that there are', () => {
    const named = readdirSync(RUNBOOKS).flatMap((file) => asked(readFileSync(join(RUNBOOKS, file), 'utf8')));
    expect(named.map(({ name }) => name).filter((name) => !known.has(name) && !known.has(`${name}_count`))).toEqual([]);
  });
});

describe('the compose file', () => {
  const staging = parse(read('docker-compose.staging.yml'), { merge: true }) as { services: object; networks: object };
  const watching = parse(read('docker-compose.monitoring.yml'), { merge: true }) as {
    services: Record<string, { volumes: string[]; networks: string[]; ports?: string[]; healthcheck: object }>;
    volumes: object;
  };

  test('mounts what is there, publishes to this machine only, and stands in networks of staging', () => {
    for (const { volumes, networks, ports = [], healthcheck } of Object.values(watching.services)) {
      const sources = volumes.map((volume) => volume.split(':')[0] ?? '');
      const missing = sources.filter(
        (source) => !(source.startsWith('.') ? existsSync(join(ROOT, source)) : source in watching.volumes),
      );
      expect(missing).toEqual([]);
      expect(networks.filter((network) => !(network in staging.networks))).toEqual([]);
      expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
      expect(healthcheck).toBeDefined();
    }
  });

  test('its Prometheus asks services that there are', () => {
    const config = parse(read('docker/monitoring/prometheus.yml')) as { scrape_configs: object[] };
    const hosts = [...JSON.stringify(config).matchAll(/"(?:https:\/\/)?([\w-]+)(?::\d+|\/readyz)"/g)].map(
      ([, host = '']) => host,
    );
    expect(hosts).toHaveLength(5);
    expect(hosts.filter((host) => !(host in staging.services) && !(host in watching.services))).toEqual([]);
  });
});

/** Debian: apt-get install prometheus prometheus-alertmanager. Where they are missing this says so, and nothing is checked. */
const withTool = (tool: string) => (isOnPath(tool) ? test : test.skip);
const run = (tool: string, ...args: string[]) =>
  execFileSync(tool, args, { cwd: FOLDER, encoding: 'utf8', stdio: 'pipe' });

describe('by the tools of Prometheus', () => {
  const cases = parse(read('test/monitoring/alerts.test.yml')) as {
    tests: { name: string; alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[];
  };

  test('every alert has a case in which it fires, and one in which it keeps quiet', () => {
    const tried = cases.tests.flatMap(({ alert_rule_test }) =>
      alert_rule_test.map(({ alertname, exp_alerts }) => `${alertname} ${exp_alerts.length > 0}`),
    );
    expect(tried.sort()).toEqual(alerts.flatMap(({ alert }) => [`${alert} false`, `${alert} true`]).sort());
  });

  withTool('promtool')('promtool: the configuration is valid, and each alert fires when it should', () => {
    expect(run('promtool', 'check', 'config', 'prometheus.yml')).toContain('SUCCESS');
    expect(run('promtool', 'test', 'rules', '../../test/monitoring/alerts.test.yml')).toContain('SUCCESS');
  });

  withTool('promtool')('promtool: what the server serves is well formed', async () => {
    const text = await (await fetch(server.runsOn.metrics ?? '')).text();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    // names that prom-client gives by itself are not ours to change
    const ours = (stdout + stderr).split('\n').filter((line) => line.startsWith('maoga_'));
    expect([ours, status === 0 || status === 3]).toEqual([[], true]);
  });

  withTool('amtool')('amtool: what is critical goes to whoever is on call, the rest to the team', () => {
    expect(run('amtool', 'check-config', 'alertmanager.yml')).toContain('SUCCESS');
    const receiver = (...labels: string[]) =>
      run('amtool', 'config', 'routes', 'test', '--config.file=alertmanager.yml', ...labels).trim();
    expect([receiver('severity=critical', 'alertname=InstanceDown'), receiver('severity=warning')]).toEqual([
      'on-call',
      'team',
    ]);
  });
});
