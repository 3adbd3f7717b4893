import type { z } from 'zod';

/** What a schema found wrong, a line for each fault, with the path of its field. */
export const faultsOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `  ${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`).join('\n');
