-- Added in place: redefining the tables would write every row anew, and drop the triggers.
ALTER TABLE "AlertRule" ADD COLUMN "onNewInVersion" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "AlertRule" ADD COLUMN "loopCrashes" INTEGER;
ALTER TABLE "AlertRule" ADD COLUMN "onWaitingBuild" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "AlertRule" ADD COLUMN "storagePercent" INTEGER;
ALTER TABLE "AlertRule" ADD COLUMN "quietFrom" INTEGER;
ALTER TABLE "AlertRule" ADD COLUMN "quietTo" INTEGER;
ALTER TABLE "AlertRule" ADD COLUMN "timeZone" TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE "AlertRule" ADD COLUMN "digest" TEXT NOT NULL DEFAULT 'NONE';
ALTER TABLE "AlertRule" ADD COLUMN "digestAt" INTEGER;
ALTER TABLE "AlertRule" ADD COLUMN "recipients" TEXT;
ALTER TABLE "AlertRule" ADD COLUMN "accessToken" TEXT;
ALTER TABLE "Coredump" ADD COLUMN "crashVersion" TEXT NOT NULL DEFAULT '';
CREATE INDEX "Coredump_crashVersion_id_idx" ON "Coredump"("crashVersion", "id");
CREATE INDEX "Coredump_filename_idx" ON "Coredump"("filename");
CREATE INDEX "Coredump_sha256_idx" ON "Coredump"("sha256");
-- AlterTable
ALTER TABLE "CrashGroup" ADD COLUMN "activityAt" DATETIME;
ALTER TABLE "CrashGroup" ADD COLUMN "ignoredAt" DATETIME;
ALTER TABLE "CrashGroup" ADD COLUMN "ignoredUntilAt" DATETIME;
ALTER TABLE "CrashGroup" ADD COLUMN "ignoredUntilCount" INTEGER;
ALTER TABLE "CrashGroup" ADD COLUMN "ignoredUntilVersion" TEXT;
ALTER TABLE "CrashGroup" ADD COLUMN "ticketUrl" TEXT;

-- AlterTable
ALTER TABLE "MergedGroup" ADD COLUMN "ignoredAt" DATETIME;
ALTER TABLE "MergedGroup" ADD COLUMN "ignoredUntilAt" DATETIME;
ALTER TABLE "MergedGroup" ADD COLUMN "ignoredUntilCount" INTEGER;
ALTER TABLE "MergedGroup" ADD COLUMN "ignoredUntilVersion" TEXT;
ALTER TABLE "MergedGroup" ADD COLUMN "tags" TEXT;
ALTER TABLE "MergedGroup" ADD COLUMN "ticketUrl" TEXT;

-- CreateTable
CREATE TABLE "AlertTold" (
    "ruleId" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "at" DATETIME NOT NULL,
    "clearedAt" DATETIME,

    PRIMARY KEY ("ruleId", "key"),
    CONSTRAINT "AlertTold_ruleId_fkey" FOREIGN KEY ("ruleId") REFERENCES "AlertRule" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ModelLinks" (
    "modelId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "sourceUrl" TEXT,
    "sourcePrefix" TEXT,
    "compareUrl" TEXT,
    "ticketUrl" TEXT,
    "deviceUrl" TEXT,
    CONSTRAINT "ModelLinks_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "OwnCodeRule" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "modelId" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "pattern" TEXT NOT NULL,
    "isOwn" BOOLEAN NOT NULL,
    CONSTRAINT "OwnCodeRule_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "DeviceModel" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "GroupActivity" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "groupId" INTEGER NOT NULL,
    "fromGroupId" INTEGER,
    "at" DATETIME NOT NULL,
    "kind" TEXT NOT NULL,
    "actor" TEXT,
    "actorId" TEXT,
    "text" TEXT,
    "editedAt" DATETIME,
    CONSTRAINT "GroupActivity_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "CrashGroup" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Tag" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "color" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "GroupTag" (
    "groupId" INTEGER NOT NULL,
    "tagId" INTEGER NOT NULL,
    "byRule" BOOLEAN NOT NULL,
    "isRemoved" BOOLEAN NOT NULL DEFAULT false,
    "fromGroupId" INTEGER,

    PRIMARY KEY ("groupId", "tagId"),
    CONSTRAINT "GroupTag_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "CrashGroup" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "GroupTag_tagId_fkey" FOREIGN KEY ("tagId") REFERENCES "Tag" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "TagRule" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "tagId" INTEGER NOT NULL,
    "modelId" INTEGER,
    "kind" TEXT,
    "function" TEXT,
    "file" TEXT,
    "task" TEXT,
    "reason" TEXT,
    "version" TEXT,
    CONSTRAINT "TagRule_tagId_fkey" FOREIGN KEY ("tagId") REFERENCES "Tag" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ShareLink" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "coredumpId" INTEGER NOT NULL,
    "tokenSha256" TEXT NOT NULL,
    "hint" TEXT NOT NULL,
    "createdBy" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "expiresAt" DATETIME NOT NULL,
    "revokedAt" DATETIME,
    "lastUsedAt" DATETIME,
    CONSTRAINT "ShareLink_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Session" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "secretSha256" TEXT NOT NULL,
    "sealed" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "actorId" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "lastUsedAt" DATETIME NOT NULL,
    "endsAt" DATETIME NOT NULL,
    "renewalUntil" DATETIME
);

-- CreateTable
CREATE TABLE "SavedView" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "createdBy" TEXT NOT NULL,
    "createdById" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "DeviceDay" (
    "slot" INTEGER NOT NULL,
    "modelId" INTEGER NOT NULL,
    "firmwareVersion" TEXT NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "boots" INTEGER NOT NULL DEFAULT 0,
    "crashes" INTEGER NOT NULL DEFAULT 0,

    PRIMARY KEY ("slot", "modelId", "firmwareVersion", "deviceId")
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

-- The version that was counted for each dump. Without its trigger: no client needs to read every dump again.
DROP TRIGGER "Coredump_change_changed";
DROP TRIGGER "CrashGroup_change_changed";
UPDATE "Coredump" SET "crashVersion" = coalesce(
    (SELECT nullif(o."firmwareVersion", '') FROM "CrashOccurrence" o WHERE o."coredumpId" = "Coredump"."id"),
    "firmwareVersion");

CREATE TRIGGER "Coredump_change_changed" AFTER UPDATE OF
    "deviceId", "firmwareId", "filename", "chip", "firmwareVersion", "size", "sha256", "uploadedAt",
    "parseStatus", "parseGeneration", "parseErrorKind", "appElfSha256", "fingerprint", "parsedAt",
    "chosenFirmwareId", "kind", "crashKind", "crashedTask", "reason", "crashVersion" ON "Coredump"
    WHEN old."deviceId" IS NOT new."deviceId" OR old."firmwareId" IS NOT new."firmwareId" OR
    old."filename" IS NOT new."filename" OR old."chip" IS NOT new."chip" OR
    old."firmwareVersion" IS NOT new."firmwareVersion" OR old."size" IS NOT new."size" OR
    old."sha256" IS NOT new."sha256" OR old."uploadedAt" IS NOT new."uploadedAt" OR
    old."parseStatus" IS NOT new."parseStatus" OR old."parseGeneration" IS NOT new."parseGeneration" OR
    old."parseErrorKind" IS NOT new."parseErrorKind" OR old."appElfSha256" IS NOT new."appElfSha256" OR
    old."fingerprint" IS NOT new."fingerprint" OR old."parsedAt" IS NOT new."parsedAt" OR
    old."chosenFirmwareId" IS NOT new."chosenFirmwareId" OR
    old."kind" IS NOT new."kind" OR
    old."crashKind" IS NOT new."crashKind" OR
    old."crashedTask" IS NOT new."crashedTask" OR
    old."reason" IS NOT new."reason" OR
    old."crashVersion" IS NOT new."crashVersion" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('Coredump', new."id", new."deviceId", 'CHANGED');
END;

CREATE TRIGGER "CrashGroup_change_changed" AFTER UPDATE OF
    "title", "kind", "reasonClass", "reason", "culpritFunction", "culpritFile", "state", "resolvedAt",
    "resolvedInVersion", "regressedAt", "regressedInVersion", "assignee", "note", "count", "deviceCount",
    "firstSeenAt", "lastSeenAt", "heat",
    "movedToId", "ignoredUntilCount", "ignoredUntilAt", "ignoredUntilVersion", "ticketUrl", "activityAt" ON "CrashGroup"
    WHEN old."title" IS NOT new."title" OR old."kind" IS NOT new."kind" OR
    old."reasonClass" IS NOT new."reasonClass" OR old."reason" IS NOT new."reason" OR
    old."culpritFunction" IS NOT new."culpritFunction" OR old."culpritFile" IS NOT new."culpritFile" OR
    old."state" IS NOT new."state" OR old."resolvedAt" IS NOT new."resolvedAt" OR
    old."resolvedInVersion" IS NOT new."resolvedInVersion" OR old."regressedAt" IS NOT new."regressedAt" OR
    old."regressedInVersion" IS NOT new."regressedInVersion" OR old."assignee" IS NOT new."assignee" OR
    old."note" IS NOT new."note" OR old."count" IS NOT new."count" OR
    old."deviceCount" IS NOT new."deviceCount" OR old."firstSeenAt" IS NOT new."firstSeenAt" OR
    old."lastSeenAt" IS NOT new."lastSeenAt" OR old."heat" IS NOT new."heat" OR
    old."movedToId" IS NOT new."movedToId" OR
    old."ignoredUntilCount" IS NOT new."ignoredUntilCount" OR
    old."ignoredUntilAt" IS NOT new."ignoredUntilAt" OR
    old."ignoredUntilVersion" IS NOT new."ignoredUntilVersion" OR
    old."ticketUrl" IS NOT new."ticketUrl" OR
    old."activityAt" IS NOT new."activityAt" BEGIN
    INSERT INTO "Change" ("subject", "subjectId", "deviceId", "kind") VALUES ('CrashGroup', new."id", NULL, 'CHANGED');
END;

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
        FROM (SELECT g."id" AS "groupId", NULL AS "fromGroupId", g."id" AS "id" FROM "CrashGroup" g
            UNION ALL SELECT m."intoId", m."id", m."id" FROM "MergedGroup" m) p
        JOIN "AuditEvent" a ON a."targetType" = 'CrashGroup' AND a."targetId" = p."id"
    ) t WHERE t."word" IS NOT NULL
    UNION ALL SELECT g."id", NULL, g."regressedAt", 0, NULL, NULL, 'REGRESSED', g."regressedInVersion"
    FROM "CrashGroup" g WHERE g."regressedAt" IS NOT NULL
) x ORDER BY x."at", x."id";

-- What is known of earlier days: the dumps that are still stored. Nobody counted boots.
INSERT INTO "DeviceDay" ("slot", "modelId", "firmwareVersion", "deviceId", "crashes")
    SELECT c."uploadedAt" / 86400000, o."modelId", o."firmwareVersion", c."deviceId", count(*)
    FROM "CrashOccurrence" o JOIN "Coredump" c ON c."id" = o."coredumpId"
    GROUP BY 1, 2, 3, 4;
