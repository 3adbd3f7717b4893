import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Settings } from './settings';

/** One key for what this environment keeps: secrets, logs, the cache. */
export function createKey(scope: Construct, { name }: Settings): kms.Key {
  const key = new kms.Key(scope, 'Key', {
    alias: `maoga/${name}`,
    description: `Secrets, logs and cache of Maoga ${name}`,
    enableKeyRotation: true,
    pendingWindow: Duration.days(30),
    // what it has encrypted outlives the stack
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const { region, account, partition } = Stack.of(scope);
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:/maoga/*`,
        },
      },
    }),
  );
  key.grantEncryptDecrypt(new iam.ServicePrincipal('cloudwatch.amazonaws.com'));
  return key;
}

export interface Network {
  vpc: ec2.Vpc;
  groups: { balancer: ec2.SecurityGroup; service: ec2.SecurityGroup; cache: ec2.SecurityGroup };
}

export const APP_PORT = 3000;
/** Not Redis's own 6379: whoever scans for open caches looks there. */
export const CACHE_PORT = 6380;
/** Where tasks may connect to outside: HTTPS (AWS, push services, the game catalogue), Atlas, mail. */
const OUTBOUND = [ec2.Port.tcp(443), ec2.Port.tcpRange(27_015, 27_017), ec2.Port.tcp(587)];

/** Public subnets for the load balancer and the way out, private ones for everything else; who may reach whom. */
export function createNetwork(scope: Construct, settings: Settings, key: kms.IKey): Network {
  const vpc = new ec2.Vpc(scope, 'Vpc', {
    // by name: a stack that knows no account would silently make do with two
    availabilityZones: settings.availabilityZones.map((letter) => `${settings.region}${letter}`),
    natGateways: settings.natGateways,
    subnetConfiguration: [
      { name: 'public', subnetType: ec2.SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
      { name: 'private', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
    ],
    gatewayEndpoints: { s3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    flowLogs: {
      rejected: {
        trafficType: ec2.FlowLogTrafficType.REJECT,
        destination: ec2.FlowLogDestination.toCloudWatchLogs(
          new logs.LogGroup(scope, 'FlowLogs', {
            logGroupName: `/maoga/${settings.name}/flow`,
            retention: logs.RetentionDays.ONE_MONTH,
            encryptionKey: key,
            removalPolicy: RemovalPolicy.DESTROY,
          }),
        ),
      },
    },
  });

  const group = (id: string, description: string) =>
    new ec2.SecurityGroup(scope, id, { vpc, description, allowAllOutbound: false });
  const groups = {
    balancer: group('BalancerGroup', 'Load balancer: reached by everybody, reaches the tasks'),
    service: group('ServiceGroup', 'Tasks: reached by the load balancer'),
    cache: group('CacheGroup', 'Cache: reached by the tasks'),
  };
  groups.balancer.connections.allowTo(groups.service, ec2.Port.tcp(APP_PORT), 'requests and sockets');
  groups.service.connections.allowTo(groups.cache, ec2.Port.tcp(CACHE_PORT), 'Redis protocol');
  for (const port of OUTBOUND) groups.service.addEgressRule(ec2.Peer.anyIpv4(), port, 'services outside');
  return { vpc, groups };
}
