import { App, Aspects } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { loadConfig } from '../../src/config/config';
import { environmentSchema } from '../../src/config/schema';
import { accept } from './accepted';
import { MaogaStack } from './maoga-stack';
import { RegistryStack } from './registry-stack';
import { ENVIRONMENTS, type Settings } from './settings';

/** What the stacks would make, read from their templates. */

interface Container {
  Environment: { Name: string; Value: unknown }[];
  Secrets: { Name: string; ValueFrom: unknown }[];
  StopTimeout: number;
}

const VERSION = '1.2.3';

const synthesise = (settings: Settings) => {
  const stack = new MaogaStack(new App(), `Maoga-${settings.name}`, { settings, version: VERSION });
  accept(stack);
  Aspects.of(stack).add(new AwsSolutionsChecks());
  return { settings, stack, template: Template.fromStack(stack) };
};
const environments = ENVIRONMENTS.map((settings) => [settings.name, synthesise(settings)] as const);

const resources = <T>(template: Template, type: string) =>
  Object.values(template.findResources(type)).map(({ Properties }) => Properties as T);

const containers = (template: Template) =>
  resources<{ ContainerDefinitions: Container[] }>(template, 'AWS::ECS::TaskDefinition').flatMap(
    ({ ContainerDefinitions }) => ContainerDefinitions,
  );

/** Secrets that are addresses; the others are random. */
const ADDRESSES: Record<string, string> = {
  MONGODB_URI: 'mongodb+srv://db.example/maoga',
  SMTP_URL: 'smtps://user:password@mail.example',
};

describe.each(environments)('%s', (name, { settings, stack, template }) => {
  it('passes cdk-nag, but for what is accepted with a reason', () => {
    const findings = Annotations.fromStack(stack).findError('*', Match.anyValue());
    expect(findings.map(({ id, entry }) => `${id}: ${JSON.stringify(entry.data)}`)).toEqual([]);
  });

  it('is reached through the load balancer alone, by TLS', () => {
    const open = resources<{ SecurityGroupIngress?: { CidrIp?: string; FromPort: number }[] }>(
      template,
      'AWS::EC2::SecurityGroup',
    ).flatMap(({ SecurityGroupIngress = [] }) => SecurityGroupIngress.filter(({ CidrIp }) => CidrIp));
    expect(open.map(({ FromPort }) => FromPort).sort()).toEqual([443, 80]);
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 80,
      DefaultActions: [{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', StatusCode: 'HTTP_301' } }],
    });
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      SslPolicy: Match.stringLikeRegexp('TLS13-1-2'),
    });
    template.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
    });
  });

  it('lets a socket live between two pings, and no idle connection longer than the server does', () => {
    const [balancer] = resources<{ LoadBalancerAttributes: { Key: string; Value: string }[] }>(
      template,
      'AWS::ElasticLoadBalancingV2::LoadBalancer',
    );
    const idle = Number(
      balancer?.LoadBalancerAttributes.find(({ Key }) => Key === 'idle_timeout.timeout_seconds')?.Value,
    );
    expect(idle).toBeGreaterThan(25);
    expect(idle).toBeLessThan(65);
  });

  it('sends players only to tasks that are ready, to any of them', () => {
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      HealthCheckPath: '/readyz',
      Port: 3000,
      TargetGroupAttributes: Match.arrayWith([{ Key: 'stickiness.enabled', Value: 'false' }]),
    });
  });

  it('gives a task what the configuration asks for, and no secret in plain text', () => {
    const [app] = containers(template) as [Container];
    const plain = Object.fromEntries(app.Environment.map(({ Name, Value }) => [Name, Value]));
    const secrets = Object.fromEntries(
      app.Secrets.map(({ Name }, i) => [Name, ADDRESSES[Name] ?? `${i}KpZ3xw9bLh7Rk2mYJdNcU5eSgAo4f1c9a7`]),
    );
    const unknown = [...Object.keys(plain), ...Object.keys(secrets)].filter((key) => !(key in environmentSchema.shape));
    expect(unknown).toEqual(['NODE_OPTIONS']);
    expect(Object.keys(plain).filter((key) => /SECRET|PASSWORD|MONGODB|SMTP/.test(key))).toEqual([]);
    // the address of Redis is known only when it exists
    const environment = { ...plain, ...secrets, REDIS_URL: 'rediss://cache.example:6380' } as Record<string, string>;
    const config = loadConfig(environment, () => {
      throw new Error('secrets were generated');
    });
    expect(config).toMatchObject({ env: name, http: { trustProxyHops: 1 }, database: { migrate: false } });
    expect(app.StopTimeout).toBeGreaterThan(config.shutdownSeconds);
  });

  it('takes secrets from its own folder of the parameter store', () => {
    for (const { Secrets } of containers(template))
      for (const { Name, ValueFrom } of Secrets)
        expect(JSON.stringify(ValueFrom)).toContain(`:parameter/maoga/${name}/${Name.toLowerCase()}"`);
  });

  it('lets ECS read these secrets and nothing else, and the server nothing at all', () => {
    const policies = Object.entries(template.findResources('AWS::IAM::Policy')).map(
      ([id, { Properties }]) => [id, JSON.stringify(Properties)] as const,
    );
    const readers = policies.filter(([, text]) => text.includes('ssm:'));
    expect(readers.length).toBeGreaterThan(0);
    for (const [id, text] of readers) {
      expect(id).toContain('ExecutionRole');
      const parameters = [...text.matchAll(/:parameter\/([\w/*]+)/g)].map(([, path = '']) => path);
      expect(parameters.length).toBeGreaterThan(0);
      expect(parameters.filter((path) => !path.startsWith(`maoga/${name}/`) || path.includes('*'))).toEqual([]);
    }
    expect(policies.filter(([id]) => id.includes('TaskRole'))).toEqual([]);
  });

  it('runs both tasks without rights: read-only, as a user, from one version of the image', () => {
    const all = containers(template);
    expect(all).toHaveLength(2);
    for (const container of all) {
      expect(container).toMatchObject({ ReadonlyRootFilesystem: true, Privileged: false, User: 'node' });
      expect(JSON.stringify(container)).toContain(`/maoga-server:${VERSION}`);
    }
    expect(all[1]).toMatchObject({ Command: ['node', 'dist/scripts/migrate.js', 'up'] });
  });

  it('goes back to the version before when a new one does not stand', () => {
    template.hasResourceProperties('AWS::ECS::Service', {
      DeploymentConfiguration: {
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
        MinimumHealthyPercent: 100,
      },
    });
  });

  it('grows with processor time, memory and connections', () => {
    template.resourceCountIs('AWS::ApplicationAutoScaling::ScalableTarget', 1);
    const policies = resources<{ TargetTrackingScalingPolicyConfiguration?: object; PolicyType: string }>(
      template,
      'AWS::ApplicationAutoScaling::ScalingPolicy',
    );
    const text = JSON.stringify(policies);
    for (const metric of ['ECSServiceAverageCPUUtilization', 'ECSServiceAverageMemoryUtilization'])
      expect(text).toContain(metric);
    expect(policies.filter(({ PolicyType }) => PolicyType === 'StepScaling')).toHaveLength(2);
    const { min, max } = settings.task;
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: min,
      MaxCapacity: max,
    });
  });

  it('keeps Redis behind TLS and a password from the parameter store', () => {
    template.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
      TransitEncryptionEnabled: true,
      AtRestEncryptionEnabled: true,
      AuthToken: `{{resolve:ssm-secure:/maoga/${name}/redis_password}}`,
      SnapshotRetentionLimit: 0,
    });
  });

  it('keeps logs for a while, encrypted', () => {
    const groups = resources<{ RetentionInDays?: number; KmsKeyId?: unknown }>(template, 'AWS::Logs::LogGroup');
    expect(groups.length).toBeGreaterThan(1);
    for (const group of groups) {
      expect(group.KmsKeyId).toBeDefined();
      expect(group.RetentionInDays).toBeGreaterThanOrEqual(30);
    }
  });

  it('tells somebody of every alarm, and says what it means', () => {
    const alarms = resources<{ AlarmName?: string; AlarmActions?: unknown[]; AlarmDescription?: string }>(
      template,
      'AWS::CloudWatch::Alarm',
    ).filter(({ AlarmName }) => AlarmName);
    expect(alarms.length).toBeGreaterThan(10);
    for (const { AlarmActions, AlarmDescription } of alarms) {
      expect(AlarmActions).toHaveLength(1);
      expect(AlarmDescription).toMatch(/\w+ \w+/);
    }
    template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: settings.alarmEmail });
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  });
});

describe('staging and production', () => {
  it('are the same stack: only numbers and names differ', () => {
    const kinds = environments.map(([, { template }]) => {
      const all = (template.toJSON() as { Resources: Record<string, { Type: string }> }).Resources;
      return [...new Set(Object.values(all).map(({ Type }) => Type))].sort();
    });
    expect(kinds[0]).toEqual(kinds[1]);
  });

  it('production keeps what it has: protected from deletion, three zones', () => {
    const [, [, { stack, template }]] = environments as [unknown, (typeof environments)[0]];
    expect(stack.terminationProtection).toBe(true);
    template.resourceCountIs('AWS::EC2::NatGateway', 3);
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      LoadBalancerAttributes: Match.arrayWith([{ Key: 'deletion_protection.enabled', Value: 'true' }]),
    });
  });
});

describe('the registry', () => {
  const stack = new RegistryStack(new App(), 'Maoga-registry', {
    github: 'me/mine',
    environments: ['staging', 'production'],
  });
  const template = Template.fromStack(stack);

  it('never changes what a tag means, and looks at every image', () => {
    template.hasResourceProperties('AWS::ECR::Repository', {
      ImageTagMutability: 'IMMUTABLE',
      ImageScanningConfiguration: { ScanOnPush: true },
    });
  });

  it('lets main and version tags push, and each environment deploy itself', () => {
    const trusted = resources<{ RoleName: string; AssumeRolePolicyDocument: object }>(template, 'AWS::IAM::Role').map(
      ({ RoleName, AssumeRolePolicyDocument }) => [
        RoleName,
        JSON.stringify(AssumeRolePolicyDocument).match(/repo:[^"]+/g),
      ],
    );
    expect(Object.fromEntries(trusted)).toEqual({
      'maoga-github-push': ['repo:me/mine:ref:refs/heads/main', 'repo:me/mine:ref:refs/tags/v*'],
      'maoga-github-staging': ['repo:me/mine:environment:staging'],
      'maoga-github-production': ['repo:me/mine:environment:production'],
    });
  });
});
