import type { Stack } from 'aws-cdk-lib';
import { NagSuppressions } from 'cdk-nag';

/** Findings of cdk-nag that are meant to be so, each with its reason. Everything else fails the synthesis. */
export function accept(stack: Stack): void {
  NagSuppressions.addStackSuppressions(stack, [
    {
      id: 'AwsSolutions-ECS2',
      reason: 'Only settings that are no secret stand in the task definition; secrets come from SSM.',
    },
    {
      id: 'AwsSolutions-EC23',
      reason: 'Players reach the load balancer from everywhere; nothing else is reachable.',
    },
    { id: 'AwsSolutions-S1', reason: 'The bucket holds access logs itself.' },
    {
      id: 'AwsSolutions-IAM5',
      reason: 'A login to ECR, and reading and registering task definitions, cannot be narrowed to one resource.',
      appliesTo: ['Resource::*'],
    },
    {
      id: 'AwsSolutions-IAM5',
      reason: 'Ids that AWS makes: within one stack, cluster, task family or role name.',
      appliesTo: [
        {
          regex:
            '/^Resource::arn:.*:(stack\\/Maoga-|task-definition\\/maoga-|task\\/maoga-|role\\/Maoga-)[\\w-]+[:\\/*]+$/',
        },
      ],
    },
  ]);
}
