export { Engine } from './engine';
export { EXCLUSIONS, type Exclusion, type Explanation, type Miss } from './explain';
export { propose, type NamedPool } from './propose';
export { REGIONS, type Player, type PoolProposal, type Proposal, type Region, type Ticket } from './ticket';
export { relaxation } from './widening';
