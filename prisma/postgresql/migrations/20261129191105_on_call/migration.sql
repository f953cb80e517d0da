-- AlterTable
ALTER TABLE "AlertRule" ADD COLUMN     "accessToken" TEXT,
ADD COLUMN     "digest" TEXT NOT NULL DEFAULT 'NONE',
ADD COLUMN     "digestAt" INTEGER,
ADD COLUMN     "loopCrashes" INTEGER,
ADD COLUMN     "onNewInVersion" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "onWaitingBuild" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "quietFrom" INTEGER,
ADD COLUMN     "quietTo" INTEGER,
ADD COLUMN     "recipients" TEXT,
ADD COLUMN     "storagePercent" INTEGER,
ADD COLUMN     "timeZone" TEXT NOT NULL DEFAULT 'UTC';

-- AlterTable
ALTER TABLE "Coredump" ADD COLUMN     "crashVersion" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "CrashGroup" ADD COLUMN     "activityAt" TIMESTAMP(3),
ADD COLUMN     "ignoredAt" TIMESTAMP(3),
ADD COLUMN     "ignoredUntilAt" TIMESTAMP(3),
ADD COLUMN     "ignoredUntilCount" INTEGER,
ADD COLUMN     "ignoredUntilVersion" TEXT,
ADD COLUMN     "ticketUrl" TEXT;

-- AlterTable
ALTER TABLE "MergedGroup" ADD COLUMN     "ignoredAt" TIMESTAMP(3),
ADD COLUMN     "ignoredUntilAt" TIMESTAMP(3),
ADD COLUMN     "ignoredUntilCount" INTEGER,
ADD COLUMN     "ignoredUntilVersion" TEXT,
ADD COLUMN     "tags" TEXT,
ADD COLUMN     "ticketUrl" TEXT;

-- CreateTable
CREATE TABLE "AlertTold" (
    "ruleId" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,
    "clearedAt" TIMESTAMP(3),

    CONSTRAINT "AlertTold_pkey" PRIMARY KEY ("ruleId","key")
);

-- CreateTable
CREATE TABLE "ModelLinks" (
    "modelId" INTEGER NOT NULL,
    "sourceUrl" TEXT,
    "sourcePrefix" TEXT,
    "compareUrl" TEXT,
    "ticketUrl" TEXT,
    "deviceUrl" TEXT,

    CONSTRAINT "ModelLinks_pkey" PRIMARY KEY ("modelId")
);

-- CreateTable
CREATE TABLE "OwnCodeRule" (
    "id" SERIAL NOT NULL,
    "modelId" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "pattern" TEXT NOT NULL,
    "isOwn" BOOLEAN NOT NULL,

    CONSTRAINT "OwnCodeRule_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "GroupActivity" (
    "id" SERIAL NOT NULL,
    "groupId" INTEGER NOT NULL,
    "fromGroupId" INTEGER,
    "at" TIMESTAMP(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "actor" TEXT,
    "actorId" TEXT,
    "text" TEXT,
    "editedAt" TIMESTAMP(3),

    CONSTRAINT "GroupActivity_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Tag" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "color" TEXT NOT NULL,

    CONSTRAINT "Tag_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "GroupTag" (
    "groupId" INTEGER NOT NULL,
    "tagId" INTEGER NOT NULL,
    "byRule" BOOLEAN NOT NULL,
    "isRemoved" BOOLEAN NOT NULL DEFAULT false,
    "fromGroupId" INTEGER,

    CONSTRAINT "GroupTag_pkey" PRIMARY KEY ("groupId","tagId")
);

-- CreateTable
CREATE TABLE "TagRule" (
    "id" SERIAL NOT NULL,
    "tagId" INTEGER NOT NULL,
    "modelId" INTEGER,
    "kind" TEXT,
    "function" TEXT,
    "file" TEXT,
    "task" TEXT,
    "reason" TEXT,
    "version" TEXT,

    CONSTRAINT "TagRule_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ShareLink" (
    "id" SERIAL NOT NULL,
    "coredumpId" INTEGER NOT NULL,
    "tokenSha256" TEXT NOT NULL,
    "hint" TEXT NOT NULL,
    "createdBy" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "revokedAt" TIMESTAMP(3),
    "lastUsedAt" TIMESTAMP(3),

    CONSTRAINT "ShareLink_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Session" (
    "id" SERIAL NOT NULL,
    "secretSha256" TEXT NOT NULL,
    "sealed" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "actorId" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "lastUsedAt" TIMESTAMP(3) NOT NULL,
    "endsAt" TIMESTAMP(3) NOT NULL,
    "renewalUntil" TIMESTAMP(3),

    CONSTRAINT "Session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "SavedView" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "createdBy" TEXT NOT NULL,
    "createdById" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "SavedView_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "DeviceDay" (
    "slot" INTEGER NOT NULL,
    "modelId" INTEGER NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "boots" INTEGER NOT NULL DEFAULT 0,
    "crashes" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "DeviceDay_pkey" PRIMARY KEY ("slot","modelId","firmwareVersion","deviceId")
);

-- CreateIndex
CREATE INDEX "AlertTold_at_idx" ON "AlertTold"("at");

-- CreateIndex
CREATE UNIQUE INDEX "OwnCodeRule_modelId_position_key" ON "OwnCodeRule"("modelId", "position");

-- CreateIndex
CREATE INDEX "CrashGroup_ignoredUntilAt_idx" ON "CrashGroup"("ignoredUntilAt");

-- CreateIndex
CREATE INDEX "CrashGroup_assignee_idx" ON "CrashGroup"("assignee");

-- CreateIndex
CREATE INDEX "GroupActivity_actor_idx" ON "GroupActivity"("actor");

-- CreateIndex
CREATE INDEX "GroupActivity_groupId_id_idx" ON "GroupActivity"("groupId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Tag_name_key" ON "Tag"("name");

-- CreateIndex
CREATE INDEX "GroupTag_tagId_idx" ON "GroupTag"("tagId");

-- CreateIndex
CREATE INDEX "TagRule_tagId_idx" ON "TagRule"("tagId");

-- CreateIndex
CREATE UNIQUE INDEX "ShareLink_tokenSha256_key" ON "ShareLink"("tokenSha256");

-- CreateIndex
CREATE INDEX "ShareLink_coredumpId_idx" ON "ShareLink"("coredumpId");

-- CreateIndex
CREATE UNIQUE INDEX "Session_secretSha256_key" ON "Session"("secretSha256");

-- CreateIndex
CREATE INDEX "Session_actorId_idx" ON "Session"("actorId");

-- CreateIndex
CREATE INDEX "Session_endsAt_idx" ON "Session"("endsAt");

-- CreateIndex
CREATE UNIQUE INDEX "SavedView_name_key" ON "SavedView"("name");

-- CreateIndex
CREATE INDEX "DeviceDay_modelId_firmwareVersion_slot_idx" ON "DeviceDay"("modelId", "firmwareVersion", "slot");

-- CreateIndex
CREATE INDEX "Coredump_crashVersion_id_idx" ON "Coredump"("crashVersion", "id");

-- CreateIndex
CREATE INDEX "Coredump_filename_idx" ON "Coredump"("filename");

-- CreateIndex
CREATE INDEX "Coredump_sha256_idx" ON "Coredump"("sha256");

-- AddForeignKey
ALTER TABLE "AlertTold" ADD CONSTRAINT "AlertTold_ruleId_fkey" FOREIGN KEY ("ruleId") REFERENCES "AlertRule"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ModelLinks" ADD CONSTRAINT "ModelLinks_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "OwnCodeRule" ADD CONSTRAINT "OwnCodeRule_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GroupActivity" ADD CONSTRAINT "GroupActivity_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "CrashGroup"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GroupTag" ADD CONSTRAINT "GroupTag_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "CrashGroup"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GroupTag" ADD CONSTRAINT "GroupTag_tagId_fkey" FOREIGN KEY ("tagId") REFERENCES "Tag"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TagRule" ADD CONSTRAINT "TagRule_tagId_fkey" FOREIGN KEY ("tagId") REFERENCES "Tag"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ShareLink" ADD CONSTRAINT "ShareLink_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The version that was counted for each dump. Without its trigger: no client needs to read every dump again.
DROP TRIGGER "Coredump_change_changed" ON "Coredump";
DROP TRIGGER "CrashGroup_change_changed" ON "CrashGroup";
UPDATE "Coredump" SET "crashVersion" = coalesce(
    (SELECT nullif(o."firmwareVersion", '') FROM "CrashOccurrence" o WHERE o."coredumpId" = "Coredump"."id"),
    "firmwareVersion");

CREATE TRIGGER "Coredump_change_changed" AFTER UPDATE OF
    "deviceId", "firmwareId", "filename", "chip", "firmwareVersion", "size", "sha256", "uploadedAt",
    "parseStatus", "parseGeneration", "parseErrorKind", "appElfSha256", "fingerprint", "parsedAt",
    "chosenFirmwareId", "kind", "crashKind", "crashedTask", "reason", "crashVersion" ON "Coredump"
    FOR EACH ROW WHEN (
        OLD."deviceId" IS DISTINCT FROM NEW."deviceId" OR OLD."firmwareId" IS DISTINCT FROM NEW."firmwareId" OR
        OLD."filename" IS DISTINCT FROM NEW."filename" OR OLD."chip" IS DISTINCT FROM NEW."chip" OR
        OLD."firmwareVersion" IS DISTINCT FROM NEW."firmwareVersion" OR
        OLD."size" IS DISTINCT FROM NEW."size" OR OLD."sha256" IS DISTINCT FROM NEW."sha256" OR
        OLD."uploadedAt" IS DISTINCT FROM NEW."uploadedAt" OR
        OLD."parseStatus" IS DISTINCT FROM NEW."parseStatus" OR
        OLD."parseGeneration" IS DISTINCT FROM NEW."parseGeneration" OR
        OLD."parseErrorKind" IS DISTINCT FROM NEW."parseErrorKind" OR
        OLD."appElfSha256" IS DISTINCT FROM NEW."appElfSha256" OR
        OLD."fingerprint" IS DISTINCT FROM NEW."fingerprint" OR OLD."parsedAt" IS DISTINCT FROM NEW."parsedAt" OR
        OLD."chosenFirmwareId" IS DISTINCT FROM NEW."chosenFirmwareId" OR
        OLD."kind" IS DISTINCT FROM NEW."kind" OR
        OLD."crashKind" IS DISTINCT FROM NEW."crashKind" OR
        OLD."crashedTask" IS DISTINCT FROM NEW."crashedTask" OR
        OLD."reason" IS DISTINCT FROM NEW."reason" OR
        OLD."crashVersion" IS DISTINCT FROM NEW."crashVersion")
    EXECUTE FUNCTION "note_change"('deviceId');

CREATE TRIGGER "CrashGroup_change_changed" AFTER UPDATE OF
    "title", "kind", "reasonClass", "reason", "culpritFunction", "culpritFile", "state", "resolvedAt",
    "resolvedInVersion", "regressedAt", "regressedInVersion", "assignee", "note", "count", "deviceCount",
    "firstSeenAt", "lastSeenAt", "heat",
    "movedToId", "ignoredUntilCount", "ignoredUntilAt", "ignoredUntilVersion", "ticketUrl", "activityAt" ON "CrashGroup"
    FOR EACH ROW WHEN (
        OLD."title" IS DISTINCT FROM NEW."title" OR OLD."kind" IS DISTINCT FROM NEW."kind" OR
        OLD."reasonClass" IS DISTINCT FROM NEW."reasonClass" OR OLD."reason" IS DISTINCT FROM NEW."reason" OR
        OLD."culpritFunction" IS DISTINCT FROM NEW."culpritFunction" OR
        OLD."culpritFile" IS DISTINCT FROM NEW."culpritFile" OR OLD."state" IS DISTINCT FROM NEW."state" OR
        OLD."resolvedAt" IS DISTINCT FROM NEW."resolvedAt" OR
        OLD."resolvedInVersion" IS DISTINCT FROM NEW."resolvedInVersion" OR
        OLD."regressedAt" IS DISTINCT FROM NEW."regressedAt" OR
        OLD."regressedInVersion" IS DISTINCT FROM NEW."regressedInVersion" OR
        OLD."assignee" IS DISTINCT FROM NEW."assignee" OR OLD."note" IS DISTINCT FROM NEW."note" OR
        OLD."count" IS DISTINCT FROM NEW."count" OR OLD."deviceCount" IS DISTINCT FROM NEW."deviceCount" OR
        OLD."firstSeenAt" IS DISTINCT FROM NEW."firstSeenAt" OR
        OLD."lastSeenAt" IS DISTINCT FROM NEW."lastSeenAt" OR OLD."heat" IS DISTINCT FROM NEW."heat" OR
        OLD."movedToId" IS DISTINCT FROM NEW."movedToId" OR
        OLD."ignoredUntilCount" IS DISTINCT FROM NEW."ignoredUntilCount" OR
        OLD."ignoredUntilAt" IS DISTINCT FROM NEW."ignoredUntilAt" OR
        OLD."ignoredUntilVersion" IS DISTINCT FROM NEW."ignoredUntilVersion" OR
        OLD."ticketUrl" IS DISTINCT FROM NEW."ticketUrl" OR
        OLD."activityAt" IS DISTINCT FROM NEW."activityAt")
    EXECUTE FUNCTION "note_change"('');

-- What people did to groups before, as far as the audit has it.
INSERT INTO "GroupActivity" ("groupId", "fromGroupId", "at", "kind", "actor", "actorId", "text")
SELECT x."groupId", x."fromGroupId", x."at", x."kind", x."actor", x."actorId", x."text" FROM (
    SELECT t."groupId", t."fromGroupId", t."at", t."id", t."actor", t."actorId", CASE
            WHEN t."word" IN ('RESOLVED', 'REOPENED', 'IGNORED', 'NOTED', 'MERGED', 'SPLIT') THEN t."word"
            WHEN t."detail" = 'to nobody' THEN 'UNASSIGNED' ELSE 'ASSIGNED' END AS "kind",
        CASE WHEN t."word" IN ('RESOLVED', 'ASSIGNED') AND t."detail" IN ('in the next version', 'to nobody') THEN NULL
            WHEN t."word" IN ('RESOLVED', 'ASSIGNED') THEN substr(t."detail", 4)
            WHEN t."word" = 'NOTED' AND t."detail" = 'removed' THEN NULL
            WHEN t."word" = 'MERGED' THEN substr(t."detail", 6)
            ELSE t."detail" END AS "text"
    FROM (
        SELECT p."groupId", p."fromGroupId", a."at", a."id", a."actor", a."via" || ':' || a."actor" AS "actorId",
            CASE a."action" WHEN 'resolveCrashGroup' THEN 'RESOLVED' WHEN 'reopenCrashGroup' THEN 'REOPENED'
                WHEN 'ignoreCrashGroup' THEN 'IGNORED' WHEN 'assignCrashGroup' THEN 'ASSIGNED'
                WHEN 'noteCrashGroup' THEN 'NOTED' WHEN 'mergeCrashGroups' THEN 'MERGED'
                WHEN 'splitCrashGroup' THEN 'SPLIT' WHEN 'updateCrashGroups' THEN
                CASE WHEN a."detail" LIKE 'RESOLVED%' THEN 'RESOLVED' WHEN a."detail" LIKE 'REOPENED%' THEN 'REOPENED'
                    WHEN a."detail" LIKE 'IGNORED%' THEN 'IGNORED' WHEN a."detail" LIKE 'ASSIGNED%' THEN 'ASSIGNED'
                    WHEN a."detail" LIKE 'NOTED%' THEN 'NOTED' END END AS "word",
            CASE WHEN a."action" <> 'updateCrashGroups' THEN a."detail"
                WHEN a."detail" LIKE 'RESOLVED%' OR a."detail" LIKE 'ASSIGNED%' THEN nullif(substr(a."detail", 10), '')
                WHEN a."detail" LIKE 'NOTED%' THEN nullif(substr(a."detail", 7), '') END AS "detail"
        FROM (SELECT g."id" AS "groupId", NULL::integer AS "fromGroupId", g."id" AS "id" FROM "CrashGroup" g
            UNION ALL SELECT m."intoId", m."id", m."id" FROM "MergedGroup" m) p
        JOIN "AuditEvent" a ON a."targetType" = 'CrashGroup' AND a."targetId" = p."id"
    ) t WHERE t."word" IS NOT NULL
    UNION ALL SELECT g."id", NULL, g."regressedAt", 0, NULL, NULL, 'REGRESSED', g."regressedInVersion"
    FROM "CrashGroup" g WHERE g."regressedAt" IS NOT NULL
) x ORDER BY x."at", x."id";

-- What is known of earlier days: the dumps that are still stored. Nobody counted boots.
INSERT INTO "DeviceDay" ("slot", "modelId", "firmwareVersion", "deviceId", "crashes")
    SELECT floor(extract(epoch FROM c."uploadedAt") / 86400)::int, o."modelId", o."firmwareVersion", c."deviceId", count(*)
    FROM "CrashOccurrence" o JOIN "Coredump" c ON c."id" = o."coredumpId"
    GROUP BY 1, 2, 3, 4;
