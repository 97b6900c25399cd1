import { SemaphoreClient } from 'parkade-mute';
import { contenderOf } from './parkade.ts';

/** As parkade, without the looks whether anybody listens to its facts: what they cost when nobody does. */
export const parkadeMute = contenderOf(SemaphoreClient);
