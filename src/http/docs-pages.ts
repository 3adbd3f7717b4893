import type { AsyncApiDocument, Message, Operation } from '../realtime/asyncapi';
import type { JsonSchema } from './json-schemas';
import { notation } from './schema-notation';

/** The pages at /docs. They need no script but Swagger UI and a starter of four lines, and load nothing from elsewhere. */

export const REST_PAGE = layout(
  'REST',
  '<div id="rest"></div><noscript>This page needs JavaScript; <a href="/openapi.json">the document</a> does not.</noscript>',
  '<link rel="stylesheet" href="/docs/swagger-ui.css">',
  '<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>',
);

export const START_SCRIPT = `SwaggerUIBundle({
  url: '/openapi.json', dom_id: '#rest', deepLinking: true, docExpansion: 'list', filter: true,
  displayRequestDuration: true, defaultModelsExpandDepth: 0, validatorUrl: null, persistAuthorization: false,
});
`;

/** The events, drawn from the document alone. */
export function eventsPage(document: AsyncApiDocument): string {
  const { info, operations, components } = document;
  const groups = { receive: 'What a client sends', send: 'What the server tells' } as const;
  const sections = Object.entries(groups).map(([action, title]) => {
    const mine = Object.entries(operations).filter(([, operation]) => operation.action === action);
    const items = mine.map(([id, operation]) => event(id, operation, document));
    return `<h2>${title}</h2>${items.join('')}`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<h3 id="schema-${escape(name)}">${escape(name)}</h3>${code(schema, components.schemas)}`,
  );
  const intro = `<h1>${escape(info.title)} <small>${escape(info.version)}</small></h1><p>${prose(info.description)}</p>`;
  return layout(
    'Events',
    `<main class="events">${intro}${sections.join('')}<h2>Schemas</h2>${schemas.join('')}</main>`,
  );
}

function event(id: string, operation: Operation, { channels, components }: AsyncApiDocument): string {
  const { messages } = channels.socket;
  const { schemas } = components;
  const find = ({ $ref }: { $ref: string }) => messages[$ref.slice($ref.lastIndexOf('/') + 1)];
  const [message] = operation.messages.map(find);
  const [reply] = (operation.reply?.messages ?? []).map(find);
  if (!message) return '';
  return `<section class="event" id="${escape(id)}"><h3><a href="#${escape(id)}"><code>${escape(message.name)}</code></a></h3>
<p>${prose(operation.summary)}</p>${code(message.payload, schemas)}${reply ? `<p>is acknowledged with <code>data</code></p>${code(dataOf(reply), schemas)}` : ''}</section>`;
}

/** `data` of an acknowledgement; a refusal looks the same everywhere. */
function dataOf(reply: Message): JsonSchema {
  const [success] = reply.payload['oneOf'] as [{ properties: { data: JsonSchema } }];
  return success.properties.data;
}

/** A schema in notation, with links to those of these schemas that it names. */
function code(schema: JsonSchema, schemas: Record<string, JsonSchema>): string {
  const lines = notation(schema)
    .split('\n')
    .map((line) => {
      const [shape = '', ...remark] = line.split(/(?= {2}\/\/)/);
      const link = (word: string) => (word in schemas ? `<a href="#schema-${word}">${word}</a>` : word);
      return escape(shape).replaceAll(/\b[A-Z]\w*/g, link) + `<i>${escape(remark.join(''))}</i>`;
    });
  return `<pre>${lines.join('\n')}</pre>`;
}

const prose = (text: string) => escape(text).replaceAll(/`([^`]*)`/g, '<code>$1</code>');

function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

function layout(title: string, body: string, head = '', end = ''): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Maoga: ${title}</title><link rel="icon" href="data:,">${head}<link rel="stylesheet" href="/docs/docs.css"></head>
<body><nav><strong>Maoga</strong><a href="/docs">REST</a><a href="/docs/events">Events</a>
<a href="/openapi.json">openapi.json</a><a href="/asyncapi.json">asyncapi.json</a></nav>${body}${end}</body></html>
`;
}

export const STYLE = `:root { color-scheme: light; font-family: system-ui, sans-serif; line-height: 1.5; color: #1b1f27; }
body { margin: 0; background: #fff; }
nav { display: flex; flex-wrap: wrap; gap: 1.25rem; align-items: baseline; padding: .75rem 1.5rem; background: #1b1f27; }
nav strong { color: #fff; font-size: 1.1rem; }
nav a { color: #c9d4ea; text-decoration: none; }
nav a:hover, nav a:focus-visible { color: #fff; text-decoration: underline; }
.events { max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
.events h2 { margin-top: 2.5rem; border-bottom: 1px solid #d7dbe3; }
.event { border: 1px solid #d7dbe3; border-left: 4px solid #3b5bdb; border-radius: 4px; padding: 0 1rem; margin: 1rem 0; }
.events h3 a { color: inherit; text-decoration: none; }
.events small { color: #5a6372; font-weight: normal; }
.events pre { background: #f4f6fa; padding: .75rem 1rem; border-radius: 4px; overflow: auto; max-height: 24rem; font-size: .85rem; }
.events pre i { color: #5a6372; }
.events code { font-family: ui-monospace, monospace; }
`;
