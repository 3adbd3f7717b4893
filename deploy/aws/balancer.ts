import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { APP_PORT, type Network } from './network';
import type { Settings } from './settings';

export interface Balancer {
  balancer: elb.ApplicationLoadBalancer;
  targets: elb.ApplicationTargetGroup;
  certificate: acm.Certificate;
}

/** TLS ends here; any task can answer any request, so nothing sticks. */
export function createBalancer(
  scope: Construct,
  settings: Settings,
  { vpc, groups }: Network,
  service: ecs.FargateService,
): Balancer {
  const { domain, keep } = settings;
  const zone = route53.HostedZone.fromHostedZoneAttributes(scope, 'Zone', {
    hostedZoneId: domain.zoneId,
    zoneName: domain.zone,
  });
  const certificate = new acm.Certificate(scope, 'Certificate', {
    domainName: domain.name,
    validation: acm.CertificateValidation.fromDns(zone),
  });
  const balancer = new elb.ApplicationLoadBalancer(scope, 'Balancer', {
    vpc,
    internetFacing: true,
    securityGroup: groups.balancer,
    vpcSubnets: { subnets: vpc.publicSubnets },
    // sockets are pinged every 25 s, and the server keeps an idle connection for 65 s: a balancer that waits longer than the
    // server would now and then send a request into a connection that is closing
    idleTimeout: Duration.seconds(60),
    dropInvalidHeaderFields: true,
    deletionProtection: keep,
    http2Enabled: true,
  });
  balancer.logAccessLogs(
    new s3.Bucket(scope, 'AccessLogs', {
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(settings.logDays) }],
      removalPolicy: RemovalPolicy.RETAIN,
    }),
  );
  balancer.addListener('Http', {
    port: 80,
    defaultAction: elb.ListenerAction.redirect({ protocol: 'HTTPS', port: '443', permanent: true }),
  });
  const targets = balancer
    .addListener('Https', {
      port: 443,
      certificates: [certificate],
      sslPolicy: elb.SslPolicy.RECOMMENDED_TLS,
    })
    .addTargets('Tasks', {
      port: APP_PORT,
      protocol: elb.ApplicationProtocol.HTTP,
      targets: [service],
      // ECS takes a task out of here before it stops it
      deregistrationDelay: Duration.seconds(15),
      loadBalancingAlgorithmType: elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      healthCheck: {
        path: '/readyz',
        healthyHttpCodes: '200',
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
      },
    });
  const target = route53.RecordTarget.fromAlias(new LoadBalancerTarget(balancer));
  const recordName = domain.name;
  new route53.ARecord(scope, 'Address', { zone, recordName, target });
  return { balancer, targets, certificate };
}
