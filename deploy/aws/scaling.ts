import { Duration } from 'aws-cdk-lib';
import { AdjustmentType } from 'aws-cdk-lib/aws-applicationautoscaling';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { ApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Settings } from './settings';

/** Connections of one task at which another one is added, and under which one goes. */
const FULL = 4000;
const SPARE = 1000;

/**
 * More tasks for more processor time, memory or connections: whichever asks for most. Slowly in: every task that goes
 * moves its players to others.
 */
export function scale(service: FargateService, balancer: ApplicationLoadBalancer, { task }: Settings): void {
  const scaling = service.autoScaleTaskCount({ minCapacity: task.min, maxCapacity: task.max });
  const pace = { scaleOutCooldown: Duration.minutes(1), scaleInCooldown: Duration.minutes(10) };
  scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 60, ...pace });
  scaling.scaleOnMemoryUtilization('Memory', { targetUtilizationPercent: 75, ...pace });
  scaling.scaleOnMetric('Connections', {
    metric: connectionsPerTask(service, balancer),
    scalingSteps: [
      { upper: SPARE, change: -1 },
      { lower: FULL, change: +1 },
      { lower: 2 * FULL, change: +3 },
    ],
    adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
    evaluationPeriods: 2,
    cooldown: Duration.minutes(3),
  });
}

/** Open connections, nearly all of them sockets of players, shared by the tasks that run. */
export function connectionsPerTask(service: FargateService, balancer: ApplicationLoadBalancer): MathExpression {
  const period = Duration.minutes(1);
  return new MathExpression({
    label: 'connections per task',
    expression: 'connections / tasks',
    period,
    usingMetrics: {
      connections: balancer.metrics.activeConnectionCount({ period, statistic: 'Sum' }),
      tasks: runningTasks(service),
    },
  });
}

export function runningTasks(service: FargateService): Metric {
  return new Metric({
    namespace: 'ECS/ContainerInsights',
    metricName: 'RunningTaskCount',
    dimensionsMap: { ClusterName: service.cluster.clusterName, ServiceName: service.serviceName },
    statistic: 'Average',
    period: Duration.minutes(1),
  });
}
