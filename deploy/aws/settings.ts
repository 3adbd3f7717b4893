/** What differs between the environments that are made from the one stack. */
export interface Settings {
  /** Part of every name: `/maoga/<name>/…`, `maoga-<name>`. */
  name: 'staging' | 'production';
  region: string;
  /** Where players reach the server; its DNS zone is in Route 53 and has to exist. */
  domain: { name: string; zone: string; zoneId: string };
  /** Who hears of alarms; an address confirms by a mail. */
  alarmEmail: string;
  corsOrigins: string[];
  /** Fargate's units: 1024 are one processor. One task uses one processor, because one process is one thread. */
  task: { cpu: number; memoryMiB: number; min: number; max: number };
  cache: { nodeType: string; replicas: number };
  /** Letters of the zones of the region. */
  availabilityZones: string[];
  natGateways: number;
  logDays: 30 | 90;
  /** Keeps what holds data or names when the stack is deleted. */
  keep: boolean;
  /** Secrets that exist only at times, such as `JWT_PREVIOUS_SECRET` while keys are changed; plain settings beside them. */
  moreSecrets: string[];
  moreVariables: Record<string, string>;
}

const shared = { region: 'eu-central-1', moreSecrets: [], moreVariables: {} };
const zone = { zone: 'example.com', zoneId: 'Z0000000EXAMPLE' };

/** Replace the names under example.com by yours. */
export const ENVIRONMENTS: Settings[] = [
  {
    ...shared,
    name: 'staging',
    domain: { name: 'staging.play.example.com', ...zone },
    alarmEmail: 'operations@example.com',
    corsOrigins: ['https://staging.app.example.com'],
    task: { cpu: 512, memoryMiB: 1024, min: 2, max: 4 },
    cache: { nodeType: 'cache.t4g.micro', replicas: 2 },
    availabilityZones: ['a', 'b'],
    natGateways: 1,
    logDays: 30,
    keep: false,
  },
  {
    ...shared,
    name: 'production',
    domain: { name: 'play.example.com', ...zone },
    alarmEmail: 'operations@example.com',
    corsOrigins: ['https://app.example.com'],
    task: { cpu: 1024, memoryMiB: 2048, min: 3, max: 30 },
    cache: { nodeType: 'cache.m7g.large', replicas: 2 },
    availabilityZones: ['a', 'b', 'c'],
    natGateways: 3,
    logDays: 90,
    keep: true,
  },
];

/** The repository whose workflow may push images and deploy. */
export const GITHUB_REPOSITORY = 'example/maoga-server';

/** Secrets that every environment has: SecureStrings that an operator writes, before the first deployment. */
export const SECRETS = ['MONGODB_URI', 'REDIS_PASSWORD', 'JWT_SECRET', 'JWT_REFRESH_SECRET', 'DATA_SECRET', 'SMTP_URL'];

/** `/maoga/staging/jwt_secret` */
export function parameterName({ name }: Pick<Settings, 'name'>, variable: string): string {
  return `/maoga/${name}/${variable.toLowerCase()}`;
}
