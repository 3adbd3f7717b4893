import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

export const REPOSITORY = 'maoga-server';

/**
 * Once per account: where images lie, and what GitHub's workflow may do, which shows who it is by OIDC and holds no key. Images
 * are pushed from main and from version tags; an environment is deployed to by jobs of that environment, whose rules (approval) GitHub keeps.
 */
export class RegistryStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    { github, environments, ...props }: StackProps & { github: string; environments: string[] },
  ) {
    super(scope, id, props);
    const repository = new ecr.Repository(this, 'Repository', {
      repositoryName: REPOSITORY,
      imageScanOnPush: true,
      imageTagMutability: ecr.TagMutability.IMMUTABLE,
      lifecycleRules: [
        { description: 'what no tag names', tagStatus: ecr.TagStatus.UNTAGGED, maxImageAge: Duration.days(7) },
        { description: 'the last hundred', maxImageCount: 100 },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const provider = new iam.OidcProviderNative(this, 'GitHub', {
      url: 'https://token.actions.githubusercontent.com',
      clientIds: ['sts.amazonaws.com'],
    });
    const roleFor = (name: string, subjects: string[]) =>
      new iam.Role(this, `${name}Role`, {
        roleName: `maoga-github-${name}`,
        maxSessionDuration: Duration.hours(1),
        assumedBy: new iam.OpenIdConnectPrincipal(provider, {
          StringEquals: { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' },
          StringLike: {
            'token.actions.githubusercontent.com:sub': subjects.map((subject) => `repo:${github}:${subject}`),
          },
        }),
      });
    repository.grantPullPush(roleFor('push', ['ref:refs/heads/main', 'ref:refs/tags/v*']));
    for (const environment of environments) {
      const role = roleFor(environment, [`environment:${environment}`]);
      for (const statement of deploymentRights(this, environment)) role.addToPolicy(statement);
    }
  }
}

/** CDK's own roles do the rest; besides, the migration task is started, watched and read. */
function deploymentRights({ partition, account, region }: Stack, environment: string): iam.PolicyStatement[] {
  const name = `maoga-${environment}`;
  const ecs = (resource: string) => `arn:${partition}:ecs:${region}:${account}:${resource}`;
  const stack = `arn:${partition}:cloudformation:${region}:${account}:stack/Maoga-${environment}/*`;
  return [
    new iam.PolicyStatement({
      actions: ['sts:AssumeRole'],
      resources: ['deploy', 'file-publishing', 'lookup'].map(
        (kind) => `arn:${partition}:iam::${account}:role/cdk-hnb659fds-${kind}-role-${account}-${region}`,
      ),
    }),
    new iam.PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stack] }),
    new iam.PolicyStatement({
      actions: ['ecs:DescribeTaskDefinition', 'ecs:RegisterTaskDefinition'],
      // neither can be narrowed to a family
      resources: ['*'],
    }),
    new iam.PolicyStatement({ actions: ['ecs:RunTask'], resources: [ecs(`task-definition/${name}-migration:*`)] }),
    new iam.PolicyStatement({ actions: ['ecs:DescribeTasks'], resources: [ecs(`task/${name}/*`)] }),
    new iam.PolicyStatement({
      actions: ['iam:PassRole'],
      resources: [`arn:${partition}:iam::${account}:role/Maoga-${environment}-Migration*`],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    }),
  ];
}
