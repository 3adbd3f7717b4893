export { exclusions, PAIR_RULE_NAMES, type PairRuleName } from './compatibility';
export { propose, type Pool } from './propose';
export { proposeAll, type NamedPool, type PoolProposal } from './propose-all';
export { seekerOf, type Seeker } from './seeker';
export { REGIONS, type Player, type Proposal, type Region, type Ticket } from './ticket';
export { nextRelaxation, relaxation } from './widening';
