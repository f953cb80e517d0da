-- Added in place: redefining the tables would write every row anew.
ALTER TABLE "CrashGroup" ADD COLUMN "movedToId" INTEGER;
ALTER TABLE "CrashGroup" ADD COLUMN "updatedAt" DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00 +00:00';
ALTER TABLE "CrashSignature" ADD COLUMN "fromGroupId" INTEGER;
ALTER TABLE "AuditEvent" ADD COLUMN "detail" TEXT;

-- Nobody noted when people changed a group; its last crash did change it.
UPDATE "CrashGroup" SET "updatedAt" = "lastSeenAt";

-- CreateTable
CREATE TABLE "MergedGroup" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "intoId" INTEGER NOT NULL,
    "takenById" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "resolvedAt" DATETIME,
    "resolvedInVersion" TEXT,
    "regressedAt" DATETIME,
    "regressedInVersion" TEXT,
    "assignee" TEXT,
    "note" TEXT,
    "mergedAt" DATETIME NOT NULL,
    CONSTRAINT "MergedGroup_intoId_fkey" FOREIGN KEY ("intoId") REFERENCES "CrashGroup" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE INDEX "MergedGroup_intoId_idx" ON "MergedGroup"("intoId");

-- CreateIndex
CREATE INDEX "CrashGroup_firstSeenAt_id_idx" ON "CrashGroup"("firstSeenAt", "id");
