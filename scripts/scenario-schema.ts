// Writes simulator/scenarios/scenario.schema.json from the code's schema; test/simulator/scenario.test.ts holds the two together.
import { writeFile } from 'node:fs/promises';
import { SCHEMA_FILE } from '../simulator/scenario-file.ts';
import { renderScenarioSchema } from '../simulator/scenario-schema.ts';

await writeFile(SCHEMA_FILE, renderScenarioSchema());
console.log('wrote simulator/scenarios/scenario.schema.json');
