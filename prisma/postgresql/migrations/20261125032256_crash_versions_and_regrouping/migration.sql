-- AlterTable
ALTER TABLE "CrashOccurrence" ADD COLUMN     "firmwareVersion" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "RegroupRun" (
    "fingerprintVersion" TEXT NOT NULL,
    "startedAt" TIMESTAMP(3) NOT NULL,
    "finishedAt" TIMESTAMP(3),
    "total" INTEGER NOT NULL,
    "done" INTEGER NOT NULL DEFAULT 0,
    "afterId" INTEGER NOT NULL DEFAULT 0,
    "leaseOwner" TEXT,
    "leaseUntil" TIMESTAMP(3),

    CONSTRAINT "RegroupRun_pkey" PRIMARY KEY ("fingerprintVersion")
);

-- Crashes that were counted before: by what the device reported.
UPDATE "CrashOccurrence" SET "firmwareVersion" =
  (SELECT c."firmwareVersion" FROM "Coredump" c WHERE c."id" = "CrashOccurrence"."coredumpId");
