import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { createBalancer } from './balancer';
import { createCache } from './cache';
import { createKey, createNetwork } from './network';
import { scale } from './scaling';
import { createApp } from './service';
import type { Settings } from './settings';
import { watch } from './watch';

/** One environment, whole but for the database, which is Atlas's, and for the secrets, which an operator writes. */
export class MaogaStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    { settings, version, ...props }: StackProps & { settings: Settings; version: string },
  ) {
    super(scope, id, {
      ...props,
      env: { ...props.env, region: settings.region },
      terminationProtection: settings.keep,
    });
    const key = createKey(this, settings);
    const network = createNetwork(this, settings, key);
    const cache = createCache(this, settings, network, key);
    const app = createApp(this, { settings, network, cache, key, version });
    const edge = createBalancer(this, settings, network, app.service);
    scale(app.service, edge.balancer, settings);
    watch(this, { ...app, ...edge, settings, cache, key });

    // what deploy/aws/release.sh needs to know
    const outputs = {
      VersionTag: version,
      PublicUrl: `https://${settings.domain.name}`,
      ClusterName: app.service.cluster.clusterName,
      MigrationFamily: app.migration.family,
      TaskSubnets: network.vpc.privateSubnets.map(({ subnetId }) => subnetId).join(','),
      TaskSecurityGroup: network.groups.service.securityGroupId,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
