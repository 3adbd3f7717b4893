export { Engine } from './engine';
export { REGIONS, type Player, type PoolProposal, type Proposal, type Region, type Ticket } from './ticket';
export { relaxation } from './widening';
