import { openEmbedded } from './sandbox.ts';
import { openStripeMock } from './stripe-mock.ts';
import type { OpenTarget, TargetRequest } from './target.ts';

/** A stripe-mock that is found or started, behind the sandbox's permission gate. */
export async function openGatedStripeMock(request: TargetRequest): Promise<OpenTarget> {
  const mock = await openStripeMock(request.env);
  const note = `Asked stripe-mock (from ${mock.from}) behind the sandbox's permission gate; nothing at Stripe was touched.`;
  try {
    const embedded = await openEmbedded(request, note, mock.url);
    return {
      ...embedded,
      close: async () => {
        await embedded.close();
        await mock.close();
      },
    };
  } catch (error) {
    await mock.close();
    throw error;
  }
}
