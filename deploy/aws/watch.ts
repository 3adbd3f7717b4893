import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Balancer } from './balancer';
import type { Cache } from './cache';
import { connectionsPerTask, runningTasks } from './scaling';
import type { App } from './service';
import type { Settings } from './settings';

export interface Watched extends Balancer, App {
  settings: Settings;
  cache: Cache;
  key: IKey;
}

const period = Duration.minutes(1);

/** Alarms that somebody should act on, and one page that shows what led there. */
export function watch(scope: Construct, watched: Watched): void {
  const { settings, key } = watched;
  const topic = new sns.Topic(scope, 'Alarms', {
    topicName: `maoga-${settings.name}-alarms`,
    masterKey: key,
    enforceSSL: true,
  });
  topic.addSubscription(new EmailSubscription(settings.alarmEmail));
  const action = new SnsAction(topic);
  const metrics = metricsOf(scope, watched);
  for (const alarm of alarmsOf(scope, metrics, watched)) {
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }
  dashboard(scope, metrics, watched);
}

type Metrics = ReturnType<typeof metricsOf>;

function metricsOf(scope: Construct, { settings, balancer, targets, service, certificate, cache, log }: Watched) {
  const sum = { period, statistic: 'Sum' };
  const requests = targets.metrics.requestCount(sum);
  const failures = targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, sum);
  const ofNode = (metricName: string, statistic: string) =>
    cache.nodes.map(
      (node) =>
        new cloudwatch.Metric({
          namespace: 'AWS/ElastiCache',
          metricName,
          statistic,
          period,
          label: node,
          dimensionsMap: { CacheClusterId: node },
        }),
    );
  // one JSON object a line; pino's 50 is an error, 60 is fatal
  const errors = new logs.MetricFilter(scope, 'LoggedErrors', {
    logGroup: log,
    filterPattern: logs.FilterPattern.numberValue('$.level', '>=', 50),
    metricNamespace: 'Maoga',
    metricName: `${settings.name}-logged-errors`,
    defaultValue: 0,
  }).metric(sum);
  return {
    requests,
    failures,
    errors,
    failureRate: new cloudwatch.MathExpression({
      label: '5xx, % of requests',
      // a handful of failures among few requests at night is no outage
      expression: 'IF(requests > 50, 100 * failures / requests, 0)',
      period,
      usingMetrics: { requests, failures },
    }),
    refusals: balancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, sum),
    p50: targets.metrics.targetResponseTime({ period, statistic: 'p50' }),
    p95: targets.metrics.targetResponseTime({ period, statistic: 'p95' }),
    p99: targets.metrics.targetResponseTime({ period, statistic: 'p99' }),
    unhealthy: targets.metrics.unhealthyHostCount({ period, statistic: 'Maximum' }),
    connections: balancer.metrics.activeConnectionCount(sum),
    perTask: connectionsPerTask(service, balancer),
    tasks: runningTasks(service),
    cpu: service.metricCpuUtilization({ period }),
    memory: service.metricMemoryUtilization({ period }),
    certificateDays: certificate.metricDaysToExpiry({ period: Duration.days(1) }),
    cacheCpu: ofNode('EngineCPUUtilization', 'Average'),
    cacheMemory: ofNode('DatabaseMemoryUsagePercentage', 'Maximum'),
  };
}

interface Rule {
  id: string;
  metric: cloudwatch.IMetric;
  threshold: number;
  /** Minutes that it has to last. */
  minutes: number;
  below?: boolean;
  /** What silence means; none: nothing wrong. */
  silenceIsBad?: boolean;
  says: string;
}

function alarmsOf(scope: Construct, metrics: Metrics, { settings }: Watched): cloudwatch.Alarm[] {
  const rules: Rule[] = [
    {
      id: 'Failures',
      metric: metrics.failureRate,
      threshold: 2,
      minutes: 3,
      says: 'More than 2 % of requests fail (5xx)',
    },
    {
      id: 'Refusals',
      metric: metrics.refusals,
      threshold: 10,
      minutes: 3,
      says: 'The load balancer finds no task that answers',
    },
    {
      id: 'Slow',
      metric: metrics.p95,
      threshold: 0.5,
      minutes: 5,
      says: 'One request in twenty takes longer than 0.5 s',
    },
    {
      id: 'Unhealthy',
      metric: metrics.unhealthy,
      threshold: 0,
      minutes: 5,
      says: 'A task is not ready: see /health, then the log',
    },
    {
      id: 'TooFew',
      metric: metrics.tasks,
      threshold: settings.task.min,
      minutes: 5,
      below: true,
      silenceIsBad: true,
      says: 'Fewer tasks run than should',
    },
    {
      id: 'Cpu',
      metric: metrics.cpu,
      threshold: 85,
      minutes: 10,
      says: 'Processors are busy although tasks were added',
    },
    { id: 'Memory', metric: metrics.memory, threshold: 90, minutes: 10, says: 'Memory runs out' },
    { id: 'Errors', metric: metrics.errors, threshold: 20, minutes: 5, says: 'Many errors in the log' },
    {
      id: 'Certificate',
      metric: metrics.certificateDays,
      threshold: 21,
      minutes: 1,
      below: true,
      says: 'The certificate is not renewed: see its DNS record',
    },
    ...metrics.cacheCpu.map((metric, i) => ({
      id: `CacheCpu${i + 1}`,
      metric,
      threshold: 80,
      minutes: 10,
      says: 'Redis is busy',
    })),
    ...metrics.cacheMemory.map((metric, i) => ({
      id: `CacheMemory${i + 1}`,
      metric,
      threshold: 80,
      minutes: 10,
      says: 'Redis is full',
    })),
  ];
  return rules.map(
    ({ id, metric, threshold, minutes, below = false, silenceIsBad = false, says }) =>
      new cloudwatch.Alarm(scope, `${id}Alarm`, {
        alarmName: `maoga-${settings.name}-${id.toLowerCase()}`,
        alarmDescription: says,
        metric,
        threshold,
        evaluationPeriods: minutes,
        datapointsToAlarm: minutes,
        comparisonOperator: below
          ? cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
          : cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        treatMissingData: silenceIsBad
          ? cloudwatch.TreatMissingData.BREACHING
          : cloudwatch.TreatMissingData.NOT_BREACHING,
      }),
  );
}

function dashboard(scope: Construct, metrics: Metrics, { settings, log }: Watched): void {
  const graph = (title: string, left: cloudwatch.IMetric[], right: cloudwatch.IMetric[] = []) =>
    new cloudwatch.GraphWidget({ title, left, right, width: 8, height: 6 });
  const page = new cloudwatch.Dashboard(scope, 'Dashboard', { dashboardName: `maoga-${settings.name}` });
  page.addWidgets(
    graph('Requests a minute', [metrics.requests], [metrics.failures]),
    graph('Answer time (s)', [metrics.p50, metrics.p95, metrics.p99]),
    graph('Failures', [metrics.failureRate], [metrics.refusals]),
  );
  page.addWidgets(
    graph('Players connected', [metrics.connections], [metrics.perTask]),
    graph('Tasks', [metrics.tasks], [metrics.unhealthy]),
    graph('Processor and memory (%)', [metrics.cpu, metrics.memory]),
  );
  page.addWidgets(
    graph('Redis: processor (%)', metrics.cacheCpu),
    graph('Redis: memory (%)', metrics.cacheMemory),
    graph('Errors in the log', [metrics.errors]),
  );
  page.addWidgets(
    new cloudwatch.LogQueryWidget({
      title: 'Latest errors',
      logGroupNames: [log.logGroupName],
      queryLines: [
        'fields @timestamp, msg, err.message, requestId',
        'filter level >= 50',
        'sort @timestamp desc',
        'limit 50',
      ],
      width: 24,
      height: 8,
    }),
  );
}
