import { cliMutants } from './cli.ts';
import { connectionsMutants } from './connections.ts';
import { dashboardMutants } from './dashboard.ts';
import { grantingMutants } from './granting.ts';
import { leasesMutants } from './leases.ts';
import { limitsMutants } from './limits.ts';
import { lineMutants } from './line.ts';
import { lookingMutants } from './looking.ts';
import { mapMutants } from './map.ts';
import { messagesMutants } from './messages.ts';
import type { Mutant } from './mutant.ts';
import { presenceMutants } from './presence.ts';
import { releasingMutants } from './releasing.ts';
import { replicasMutants } from './replicas.ts';
import { requestsMutants } from './requests.ts';
import { restoringMutants } from './restoring.ts';
import { revokingMutants } from './revoking.ts';
import { stateMutants } from './state.ts';
import { straightMutants } from './straight.ts';

/** All known ways to break the implementation. */
export const mutants: readonly Mutant[] = [
  ...grantingMutants,
  ...lineMutants,
  ...leasesMutants,
  ...presenceMutants,
  ...releasingMutants,
  ...messagesMutants,
  ...stateMutants,
  ...restoringMutants,
  ...limitsMutants,
  ...lookingMutants,
  ...revokingMutants,
  ...replicasMutants,
  ...requestsMutants,
  ...mapMutants,
  ...straightMutants,
  ...cliMutants,
  ...dashboardMutants,
  ...connectionsMutants,
];
