#!/usr/bin/env bash
# Brings a version to an environment: deploy/aws/release.sh staging 1.2.3
#
# Migrations run first, as a task of their own from the new image, while the old version serves (a migration leaves it able to work);
# if they fail, nothing else happens. Then the stack is deployed: CloudFormation waits until the service is stable, and goes back by
# itself if it does not become so. Then the smoke test; if it fails, the version before comes back.
#
# Needs aws, jq, and `npm ci` in this folder and in the project's.
set -euo pipefail
environment="${1:?which environment: staging or production}"
version="${2:?which version: the tag of an image}"
here="$(cd "$(dirname "$0")" && pwd)"
stack="Maoga-$environment"

outputs="$(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Outputs' --output json)"
output() { jq --raw-output --exit-status --arg key "$1" '.[] | select(.OutputKey == $key) | .OutputValue' <<< "$outputs"; }
cluster="$(output ClusterName)"
family="$(output MigrationFamily)"
before="$(output VersionTag)"
url="$(output PublicUrl)"

deploy() { (cd "$here" && npx cdk deploy "$stack" --exclusively --require-approval never --context "version=$1"); }

migrate() {
  local definition arn task code
  # the same task with the new image; what only describes the old revision is left out
  definition="$(aws ecs describe-task-definition --task-definition "$family" --query taskDefinition --output json |
    jq --arg version "$version" '.containerDefinitions[0].image |= sub(":[^:/]+$"; ":" + $version) |
      del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy)')"
  arn="$(aws ecs register-task-definition --cli-input-json "$definition" --query taskDefinition.taskDefinitionArn --output text)"
  task="$(aws ecs run-task --cluster "$cluster" --task-definition "$arn" --launch-type FARGATE --query 'tasks[0].taskArn' --output text \
    --network-configuration "awsvpcConfiguration={subnets=[$(output TaskSubnets)],securityGroups=[$(output TaskSecurityGroup)],assignPublicIp=DISABLED}")"
  aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
  code="$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --query 'tasks[0].containers[0].exitCode' --output text)"
  [ "$code" = 0 ] || {
    echo "The migrations of $version failed (exit code $code): see the log group /maoga/$environment/app. $before stays." >&2
    return 1
  }
}

echo "$environment: $before -> $version"
migrate
deploy "$version"
if (cd "$here/../.." && npm run smoke -- "$url"); then
  echo "$environment runs $version"
else
  echo "The smoke test of $version failed: back to $before." >&2
  deploy "$before"
  exit 1
fi
