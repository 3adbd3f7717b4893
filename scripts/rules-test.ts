import { parseArgs } from 'node:util';
import { loadScenarios, ScenarioFault, scenarioFiles } from '../src/modules/matchmaking/scenarios/load';
import { reportOf } from '../src/modules/matchmaking/scenarios/report';
import { runScenario } from '../src/modules/matchmaking/scenarios/run';
import { scenarioJsonSchema } from '../src/modules/matchmaking/scenarios/scenario.schema';

/**
 * `npm run rules:test -- [files or folders]`: runs scenarios through the real engine, those that ship with the server unless
 * others are named. Exits with 1 where something differs, and with 2 where a file cannot be used.
 */

const USAGE = `Usage: npm run rules:test -- [files or folders] [--json]
       npm run rules:test -- --schema   (the JSON schema of scenario files, for editors)`;
const SHIPPED = 'src/modules/games/scenarios';

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.schema) return print(JSON.stringify(scenarioJsonSchema(), null, 2));
  const files = await scenarioFiles(positionals.length > 0 ? positionals : [SHIPPED]);
  const outcomes = files
    .flatMap((file) => loadScenarios(file))
    .map((scenario) => ({ scenario, differences: runScenario(scenario) }));
  if (outcomes.length === 0) throw new ScenarioFault(`${positionals.join(', ')}: holds no scenario file (*.json)`);
  if (values.json)
    print(JSON.stringify(outcomes.map(({ scenario: { name, file }, differences }) => ({ name, file, differences }))));
  else print(reportOf(outcomes));
  if (outcomes.some(({ differences }) => differences.length > 0)) process.exitCode = 1;
}

function readArguments() {
  try {
    const options = { schema: { type: 'boolean' }, json: { type: 'boolean' } } as const;
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new ScenarioFault(`${(error as Error).message}\n${USAGE}`);
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

main().catch((error: unknown) => {
  if (!(error instanceof ScenarioFault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
