import { ExternalCatalogueError } from '../external-catalogue';

/**
 * One HTTP exchange of which the whole answer is read. What does not come about is an ExternalCatalogueError: no connection,
 * one that is cut, an answer that takes too long, is no JSON or says that the other side has a fault (5xx) or is asked too
 * much (429). Other answers are for the caller to judge.
 */
export async function readJson(url: string, init: RequestInit): Promise<{ status: number; json: unknown }> {
  const [response, text] = await exchange(url, init);
  const { status, headers } = response;
  if (status === 429) {
    const retryAfterMs = retryAfter(headers.get('retry-after'));
    throw new ExternalCatalogueError('limited', 'answered 429: it was asked too much', { retryAfterMs });
  }
  if (status >= 500) throw new ExternalCatalogueError('away', `answered ${status}`);
  try {
    return { status, json: JSON.parse(text) };
  } catch (cause) {
    if (!response.ok) return { status, json: undefined };
    throw new ExternalCatalogueError('away', 'answered with something that is no JSON', { cause });
  }
}

async function exchange(url: string, init: RequestInit): Promise<[Response, string]> {
  try {
    const response = await fetch(url, init);
    return [response, await response.text()];
  } catch (cause) {
    const { name, message } = cause as Error;
    const late = name === 'TimeoutError';
    throw new ExternalCatalogueError('away', late ? 'did not answer in time' : `could not be reached: ${message}`, {
      cause,
    });
  }
}

/** Seconds, as both Twitch and IGDB give them. */
function retryAfter(header: string | null): number | undefined {
  const seconds = Number(header);
  return header !== null && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
