import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config';
import { environmentSchema } from '../../src/config/schema';
import { containersOf, render, type KubernetesObject } from './kustomize';

/** deploy/kubernetes: each object against the model of its kind, and what the objects say to each other. */

const DEPLOY = join(__dirname, '../../deploy/kubernetes');
const overlays = ['staging', 'production'].map((name) => [name, render(join(DEPLOY, name))] as const);

/** What is wrong with each, by the model of its kind; null: nothing. */
function faultsOf(objects: KubernetesObject[]): (string | null)[] {
  const program = join(__dirname, 'validate.mjs');
  const answer = execFileSync(process.execPath, [program], { input: JSON.stringify(objects), encoding: 'utf8' });
  return JSON.parse(answer) as (string | null)[];
}

/** Ways to get an object wrong. */
const SPOILT: [string, (spec: KubernetesObject) => unknown][] = [
  ['Deployment', (spec) => (spec['template'].spec.containers[0].livenessProbe.httpGet.port = {})],
  ['Deployment', (spec) => (spec['template'].spec.containers[0].imagePullPolice = 'Always')],
  ['Job', (spec) => delete spec['template']],
  ['HTTPRoute', (spec) => (spec['rules'] = 'none')],
  ['ExternalSecret', (spec) => (spec['refreshInterval'] = 5)],
  ['Issuer', (spec) => delete spec['acme'].server],
];

const spoilt = SPOILT.map(([kind, spoil]) => {
  const object = structuredClone(overlays[0]![1].find((each) => each.kind === kind)!);
  spoil(object['spec'] as KubernetesObject);
  return object;
});

// all at once: reading the models takes most of the time
const faults = new Map<KubernetesObject, string | null>();
beforeAll(() => {
  const all = [...overlays.flatMap(([, objects]) => objects), ...spoilt];
  faultsOf(all).forEach((fault, i) => faults.set(all[i]!, fault));
}, 120_000);

it('the models find a wrong type, a missing field, and one that is unknown', () => {
  expect(spoilt.map((object) => faults.get(object))).toEqual(
    SPOILT.map(([kind]) => expect.stringContaining(`${kind} maoga`)),
  );
});

const only = (objects: KubernetesObject[], kind: string): KubernetesObject => {
  const found = objects.filter((object) => object.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} of ${kind}`);
  return found[0]!;
};

const fits = (selector: Record<string, string>, labels: Record<string, string> = {}) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

describe.each(overlays)('%s', (name, objects) => {
  const deployment = only(objects, 'Deployment');
  const job = only(objects, 'Job');
  const pod = deployment['spec'].template;
  const [server] = pod.spec.containers;

  it('holds only objects that are what their kinds ask for', () => {
    expect(objects.length).toBeGreaterThan(12);
    expect(objects.flatMap((object) => faults.get(object) ?? [])).toEqual([]);
  });

  it('stands in a namespace of its own, under names that say whose it is', () => {
    for (const { kind, metadata } of objects) {
      expect(metadata.namespace ?? metadata.name).toBe(`maoga-${name}`);
      if (kind !== 'Namespace') expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'maoga' });
    }
  });

  it('gives both pods settings that make a configuration', () => {
    for (const { env, envFrom } of [server, job['spec'].template.spec.containers[0]]) {
      const map = objects.find(({ metadata }) => metadata.name === envFrom[0].configMapRef.name);
      const files = Object.fromEntries(
        env.map(({ name: variable, value }: { name: string; value: string }) => [variable, value]),
      );
      const names = [...Object.keys(map?.['data']), ...Object.keys(files).map((file) => file.replace(/_FILE$/, ''))];
      expect(names.filter((variable) => !(variable in environmentSchema.shape))).toEqual(['NODE_OPTIONS']);
      const secrets = {
        MONGODB_URI: 'mongodb+srv://db.example/maoga',
        REDIS_URL: 'rediss://cache.example',
        JWT_SECRET: 'FqV3xw9Zt0bLh7Rk2mYp8JdNcU5eSgAo',
        JWT_REFRESH_SECRET: '4f1c9a7be2d80563719bfa02c6e8d354',
        DATA_SECRET: 'Zt0bLh7Rk2mYp8JdNcU5eSgAoFqV3xw9',
        SMTP_URL: 'smtps://mail.example',
      };
      expect(Object.keys(files).sort()).toEqual(
        Object.keys(secrets)
          .map((secret) => `${secret}_FILE`)
          .sort(),
      );
      const config = loadConfig({ ...map?.['data'], ...secrets }, () => {
        throw new Error('secrets were generated');
      });
      expect(config.env).toBe(name);
      expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(
        config.shutdownSeconds + server.lifecycle.preStop.sleep.seconds,
      );
    }
  });

  it('mounts every secret that it names, from this environment', () => {
    const { data, target } = only(objects, 'ExternalSecret')['spec'];
    const keys = data.map(({ secretKey }: { secretKey: string }) => `/run/secrets/maoga/${secretKey}`);
    for (const { spec } of [pod, job['spec'].template]) {
      const [container] = spec.containers;
      expect(container.env.map(({ value }: { value: string }) => value)).toEqual(keys);
      expect(container.volumeMounts[0]).toMatchObject({ mountPath: '/run/secrets/maoga', readOnly: true });
      expect(spec.volumes[0].secret.secretName).toBe(target.name);
    }
    for (const { remoteRef } of data) expect(remoteRef.key).toMatch(new RegExp(`^/maoga/${name}/`));
  });

  it('runs one image, without rights', () => {
    const containers = objects.flatMap(containersOf) as unknown as Record<string, object>[];
    expect(new Set(containers.map(({ image }) => image)).size).toBe(1);
    for (const { securityContext, resources } of containers) {
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources).toMatchObject({ requests: expect.any(Object), limits: { memory: expect.any(String) } });
    }
    for (const { spec } of [pod, job['spec'].template]) {
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(spec.automountServiceAccountToken).toBe(false);
    }
  });

  it('is started, kept and used by three different questions', () => {
    const asked = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => server[probe].httpGet.path);
    expect(asked).toEqual(['/livez', '/livez', '/readyz']);
  });

  it('finds its pods by every selector, and the job by none', () => {
    const selectors = [
      deployment['spec'].selector.matchLabels,
      only(objects, 'Service')['spec'].selector,
      only(objects, 'PodDisruptionBudget')['spec'].selector.matchLabels,
      ...pod.spec.topologySpreadConstraints.map(
        ({ labelSelector }: { labelSelector: { matchLabels: object } }) => labelSelector.matchLabels,
      ),
    ];
    for (const selector of selectors) {
      expect(fits(selector, pod.metadata.labels)).toBe(true);
      expect(fits(selector, job['spec'].template.metadata.labels)).toBe(false);
    }
    const guarded = only(objects, 'NetworkPolicy')['spec'].podSelector.matchLabels;
    for (const { labels } of [pod.metadata, job['spec'].template.metadata]) expect(fits(guarded, labels)).toBe(true);
  });

  it('is reached by one host over TLS, and from HTTP sent there', () => {
    const { listeners } = only(objects, 'Gateway')['spec'];
    const map = only(objects, 'ConfigMap')['data'];
    const routes = objects.filter(({ kind }) => kind === 'HTTPRoute');
    const hosts = [
      ...listeners.map(({ hostname }: { hostname: string }) => hostname),
      ...routes.flatMap(({ spec }) => spec.hostnames),
    ];
    expect(new Set(hosts.map((host: string) => `https://${host}`))).toEqual(new Set([map.PUBLIC_URL]));
    for (const { spec } of routes)
      expect(listeners.map((listener: { name: string }) => listener.name)).toContain(spec.parentRefs[0].sectionName);
    const [first] = routes[0]!['spec'].rules;
    expect([first.matches[0].path.value, first.timeouts.request]).toEqual(['/socket.io', '0s']);
    expect(only(objects, 'Service')['spec'].ports[0]).toMatchObject({
      appProtocol: 'kubernetes.io/ws',
      targetPort: 'http',
    });
    expect(routes[1]!['spec'].rules[0].filters[0].requestRedirect).toEqual({ scheme: 'https', statusCode: 301 });
  });

  it('comes in two steps: what the migration needs, then the rest', () => {
    const step = ({ metadata }: KubernetesObject) => metadata.labels?.['app.kubernetes.io/component'] ?? '';
    const first = objects.filter((object) => ['settings', 'migration'].includes(step(object)));
    expect(first.map(({ kind }) => kind).sort()).toEqual(
      ['ConfigMap', 'ExternalSecret', 'Job', 'Namespace', 'NetworkPolicy', 'ServiceAccount'].sort(),
    );
    expect(job['spec'].template.spec.containers[0].args).toEqual(['node', 'dist/scripts/migrate.js', 'up']);
  });
});
