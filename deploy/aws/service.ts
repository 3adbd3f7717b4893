import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import type { Cache } from './cache';
import { APP_PORT, type Network } from './network';
import { REPOSITORY } from './registry-stack';
import { parameterName, SECRETS, type Settings } from './settings';

export interface App {
  service: ecs.FargateService;
  migration: ecs.FargateTaskDefinition;
  log: logs.LogGroup;
}

export interface AppOptions {
  settings: Settings;
  network: Network;
  cache: Cache;
  key: IKey;
  /** Tag of the image. */
  version: string;
}

/** How long a stop may take; the server gives up first, and says so in its log. */
const STOP_SECONDS = 40;

/** The server as a service, and its migrations as a task of their own, both from one image and with the same settings. */
export function createApp(scope: Construct, options: AppOptions): App {
  const { settings, network, key } = options;
  const { vpc, groups } = network;
  const log = new logs.LogGroup(scope, 'Log', {
    logGroupName: `/maoga/${settings.name}/app`,
    retention: settings.logDays as logs.RetentionDays,
    encryptionKey: key,
    removalPolicy: settings.keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  const cluster = new ecs.Cluster(scope, 'Cluster', {
    clusterName: `maoga-${settings.name}`,
    vpc,
    containerInsightsV2: ecs.ContainerInsights.ENABLED,
  });
  const service = new ecs.FargateService(scope, 'Service', {
    serviceName: `maoga-${settings.name}`,
    cluster,
    taskDefinition: taskOf(scope, 'Task', { ...options, log }),
    desiredCount: settings.task.min,
    vpcSubnets: { subnets: vpc.privateSubnets },
    securityGroups: [groups.service],
    assignPublicIp: false,
    // the new tasks stand before the old ones go
    minHealthyPercent: 100,
    maxHealthyPercent: 200,
    circuitBreaker: { rollback: true },
    healthCheckGracePeriod: Duration.seconds(60),
    availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED,
    enableExecuteCommand: false,
    propagateTags: ecs.PropagatedTagSource.SERVICE,
  });
  const migration = taskOf(scope, 'Migration', {
    ...options,
    log,
    command: ['node', 'dist/scripts/migrate.js', 'up'],
  });
  return { service, migration, log };
}

function taskOf(
  scope: Construct,
  id: string,
  { settings, cache, key, version, log, command }: AppOptions & { log: logs.LogGroup; command?: string[] },
): ecs.FargateTaskDefinition {
  const task = new ecs.FargateTaskDefinition(scope, id, {
    family: `maoga-${settings.name}${command ? '-migration' : ''}`,
    cpu: settings.task.cpu,
    memoryLimitMiB: settings.task.memoryMiB,
    runtimePlatform: {
      cpuArchitecture: ecs.CpuArchitecture.X86_64,
      operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    },
  });
  const secretOf = (variable: string) => {
    const name = parameterName(settings, variable);
    const attributes = { parameterName: name, encryptionKey: key };
    return ecs.Secret.fromSsmParameter(
      ssm.StringParameter.fromSecureStringParameterAttributes(scope, `${id} ${variable}`, attributes),
    );
  };
  const repository = ecr.Repository.fromRepositoryName(scope, `${id} Repository`, REPOSITORY);
  task.addContainer('app', {
    image: ecs.ContainerImage.fromEcrRepository(repository, version),
    ...(command ? { command } : { portMappings: [{ containerPort: APP_PORT, name: 'http' }] }),
    environment: {
      NODE_ENV: settings.name,
      PUBLIC_URL: `https://${settings.domain.name}`,
      CORS_ORIGINS: settings.corsOrigins.join(','),
      MAIL_FROM: settings.mailFrom,
      REDIS_URL: cache.url,
      // the load balancer, and nothing else
      TRUST_PROXY_HOPS: '1',
      SHUTDOWN_SECONDS: String(STOP_SECONDS - 10),
      // three quarters: the rest is for buffers and for Node itself
      NODE_OPTIONS: `--max-old-space-size=${Math.round(settings.task.memoryMiB * 0.75)}`,
      ...settings.moreVariables,
    },
    // read when a task starts: a changed secret takes effect with the next deployment
    secrets: Object.fromEntries([...SECRETS, ...settings.moreSecrets].map((name) => [name, secretOf(name)])),
    logging: ecs.LogDrivers.awsLogs({
      logGroup: log,
      streamPrefix: command ? 'migration' : 'app',
      mode: ecs.AwsLogDriverMode.NON_BLOCKING,
    }),
    readonlyRootFilesystem: true,
    privileged: false,
    user: 'node',
    stopTimeout: Duration.seconds(STOP_SECONDS),
    ulimits: [{ name: ecs.UlimitName.NOFILE, softLimit: 65_536, hardLimit: 65_536 }],
    // ECS does not look at the HEALTHCHECK of an image
    ...(command ? {} : { healthCheck: aliveCheck() }),
  });
  return task;
}

/** Alive, not ready: a task is not replaced because the database is away. The load balancer asks whether it is ready. */
function aliveCheck(): ecs.HealthCheck {
  const ask = `fetch('http://127.0.0.1:${APP_PORT}/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`;
  return {
    command: ['CMD', 'node', '-e', ask],
    interval: Duration.seconds(10),
    timeout: Duration.seconds(5),
    retries: 3,
    startPeriod: Duration.seconds(30),
  };
}
