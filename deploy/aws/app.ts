import { App, Aspects, Tags } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { accept } from './accepted';
import { MaogaStack } from './maoga-stack';
import { RegistryStack } from './registry-stack';
import { ENVIRONMENTS, GITHUB_REPOSITORY } from './settings';

/** `cdk deploy Maoga-staging -c version=1.2.3`; the version is the tag of an image that has been pushed. */
const app = new App();
const version = String(app.node.tryGetContext('version') ?? 'latest');
const account = process.env['CDK_DEFAULT_ACCOUNT'];
const env = account === undefined ? {} : { account };

const [{ region }] = ENVIRONMENTS as [(typeof ENVIRONMENTS)[0]];
const stacks = [
  new RegistryStack(app, 'Maoga-registry', {
    env: { ...env, region },
    github: GITHUB_REPOSITORY,
    environments: ENVIRONMENTS.map(({ name }) => name),
  }),
  ...ENVIRONMENTS.map((settings) => new MaogaStack(app, `Maoga-${settings.name}`, { env, settings, version })),
];
for (const stack of stacks) accept(stack);
Tags.of(app).add('project', 'maoga');
Aspects.of(app).add(new AwsSolutionsChecks());
app.synth();
