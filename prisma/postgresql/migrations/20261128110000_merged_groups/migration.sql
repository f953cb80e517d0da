-- AlterTable
ALTER TABLE "CrashGroup" ADD COLUMN     "movedToId" INTEGER,
ADD COLUMN     "updatedAt" TIMESTAMP(3) NOT NULL DEFAULT '1970-01-01 00:00:00 +00:00';

-- AlterTable
ALTER TABLE "CrashSignature" ADD COLUMN     "fromGroupId" INTEGER;

-- AlterTable
ALTER TABLE "AuditEvent" ADD COLUMN     "detail" TEXT;

-- Nobody noted when people changed a group; its last crash did change it.
UPDATE "CrashGroup" SET "updatedAt" = "lastSeenAt";

-- CreateTable
CREATE TABLE "MergedGroup" (
    "id" INTEGER NOT NULL,
    "intoId" INTEGER NOT NULL,
    "takenById" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "resolvedAt" TIMESTAMP(3),
    "resolvedInVersion" TEXT,
    "regressedAt" TIMESTAMP(3),
    "regressedInVersion" TEXT,
    "assignee" TEXT,
    "note" TEXT,
    "mergedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "MergedGroup_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "MergedGroup_intoId_idx" ON "MergedGroup"("intoId");

-- CreateIndex
CREATE INDEX "CrashGroup_firstSeenAt_id_idx" ON "CrashGroup"("firstSeenAt", "id");

-- AddForeignKey
ALTER TABLE "MergedGroup" ADD CONSTRAINT "MergedGroup_intoId_fkey" FOREIGN KEY ("intoId") REFERENCES "CrashGroup"("id") ON DELETE CASCADE ON UPDATE CASCADE;
