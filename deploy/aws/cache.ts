import { SecretValue } from 'aws-cdk-lib';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { CACHE_PORT, type Network } from './network';
import { parameterName, type Settings } from './settings';

export interface Cache {
  url: string;
  /** Ids of its nodes, by which their metrics are named. */
  nodes: string[];
}

/**
 * Redis for fan-out and limits: encrypted on the way and where it lies, behind a password. No snapshots: nothing in it is
 * needed after a loss.
 */
export function createCache(scope: Construct, settings: Settings, { vpc, groups }: Network, key: IKey): Cache {
  const { name, cache } = settings;
  const subnets = new elasticache.CfnSubnetGroup(scope, 'CacheSubnets', {
    description: `Maoga ${name}`,
    subnetIds: vpc.privateSubnets.map(({ subnetId }) => subnetId),
  });
  const parameters = new elasticache.CfnParameterGroup(scope, 'CacheParameters', {
    cacheParameterGroupFamily: 'redis7',
    description: `Maoga ${name}: what has an end may go early`,
    properties: { 'maxmemory-policy': 'volatile-ttl' },
  });
  const spread = cache.replicas > 1;
  const replicationGroupId = `maoga-${name}`;
  const group = new elasticache.CfnReplicationGroup(scope, 'Cache', {
    replicationGroupId,
    replicationGroupDescription: `Maoga ${name}: events between instances, rate limits`,
    engine: 'redis',
    engineVersion: '7.1',
    cacheNodeType: cache.nodeType,
    numCacheClusters: cache.replicas,
    automaticFailoverEnabled: spread,
    multiAzEnabled: spread,
    cacheSubnetGroupName: subnets.ref,
    cacheParameterGroupName: parameters.ref,
    securityGroupIds: [groups.cache.securityGroupId],
    port: CACHE_PORT,
    transitEncryptionEnabled: true,
    atRestEncryptionEnabled: true,
    kmsKeyId: key.keyId,
    authToken: SecretValue.ssmSecure(parameterName(settings, 'REDIS_PASSWORD')).unsafeUnwrap(),
    snapshotRetentionLimit: 0,
    autoMinorVersionUpgrade: true,
    preferredMaintenanceWindow: 'tue:04:00-tue:05:00',
  });
  return {
    url: `rediss://${group.attrPrimaryEndPointAddress}:${CACHE_PORT}`,
    nodes: Array.from({ length: cache.replicas }, (_, i) => `${replicationGroupId}-${String(i + 1).padStart(3, '0')}`),
  };
}
