/** The commands of a mongod that this server does not have. It says so, where to any other name it says that there is no such command. */
import { words } from './command';

export const REFUSED = new Set(
  words(`
    mapReduce mapreduce getLastError getlasterror dbHash filemd5 top
    compact autoCompact reIndex convertToCapped cloneCollectionAsCapped applyOps captrunc godinsert
    createSearchIndexes dropSearchIndex listSearchIndexes updateSearchIndex
    planCacheClearFilters planCacheListFilters planCacheSetFilter
    saslStart saslContinue authenticate createUser updateUser
    createRole updateRole dropRole grantRolesToUser revokeRolesFromUser
    grantRolesToRole revokeRolesFromRole grantPrivilegesToRole revokePrivilegesFromRole invalidateUserCache
    killOp killAllSessionsByPattern lockInfo fsyncUnlock shutdown logRotate logApplicationMessage sleep echo features whatsmyuri
    connPoolStats connPoolSync dropConnections cursorInfo netstat getDiagnosticData validateDBMetadata rotateCertificates
    waitForFailPoint startRecordingTraffic stopRecordingTraffic
    setDefaultRWConcern setFeatureCompatibilityVersion setUserWriteBlockMode
    getClusterParameter setClusterParameter getAuditConfig setAuditConfig getChangeStreamState setChangeStreamState
    setIndexCommitQuorum setProfilingFilterGlobally compactStructuredEncryptionData cleanupStructuredEncryptionData
    replSetInitiate replSetReconfig replSetStepDown replSetStepUp replSetFreeze replSetMaintenance replSetSyncFrom replSetResizeOplog
    replSetAbortPrimaryCatchUp replSetHeartbeat replSetUpdatePosition replSetRequestVotes appendOplogNote
    enableSharding shardCollection reshardCollection abortReshardCollection commitReshardCollection cleanupReshardCollection
    refineCollectionShardKey moveChunk movePrimary mergeChunks splitChunk splitVector cleanupOrphaned listShards removeShard getShardMap
    getShardVersion setShardVersion shardingState checkMetadataConsistency analyzeShardKey configureQueryAnalyzer flushRouterConfig
  `),
);
